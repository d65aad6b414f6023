import { expect, it } from 'vitest';
import { pinOf } from '../../../tools/migrations/pins.js';
import { refreshPins } from '../../../tools/migrations/refresh-pins.js';
import { functionSource, streamOf } from './sources.js';

const pin = (text: string) => pinOf({ name: 'f', text });
const [first, second, third] = [1, 2, 3].map((n) => functionSource('f', '', `SELECT ${n}`)) as [
  string,
  string,
  string,
];

it('updates the newest pin to the text of the source, and keeps what surrounds it', () => {
  const stream = streamOf(
    { f: second },
    { '0001_f': [`CREATE TABLE a ();\n${pin(first)}-- end\n`, 'DROP TABLE a;'] },
  );
  expect(refreshPins(stream, () => false)).toEqual([
    { name: '0001_f', up: `CREATE TABLE a ();\n${pin(second)}-- end\n`, down: 'DROP TABLE a;' },
  ]);
});

it('keeps a pin that a later migration replaces, and makes that one restore it', () => {
  const stream = streamOf(
    { f: third },
    { '0001_f': [pin(first), 'SELECT 1;'], '0002_f': [pin(second), pin(third)] },
  );
  expect(refreshPins(stream, () => false)).toEqual([
    { name: '0002_f', up: pin(third), down: pin(first) },
  ]);
});

it('never touches a released migration', () => {
  const stream = streamOf({ f: second }, { '0001_f': [pin(first), 'SELECT 1;'] });
  expect(refreshPins(stream, () => true)).toEqual([]);
});
