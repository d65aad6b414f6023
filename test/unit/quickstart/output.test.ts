import { expect, test } from 'vitest';
import { styleOf } from '../../../src/cli/output/style.js';
import { createOutput } from '../../../tools/quickstart/output.js';

function outputTo(stream: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const silence = new AbortController();
  const target = { ...stream, write: (text: string) => written.push(text) };
  const output = createOutput(target, styleOf(target, {}, true), silence.signal, () => clock.ms);
  return { output, written, clock, silence };
}

test('on a terminal progress replaces its own line and is cut to the width', () => {
  const { output, written } = outputTo({ isTTY: true, columns: 10 });
  output.progress('0123456789');
  output.say('done');
  expect(written).toEqual(['\r\u001b[2K012345678', '\r\u001b[2Kdone\n']);
});

test('elsewhere progress is a plain line every ten seconds', () => {
  const { output, written, clock } = outputTo({ isTTY: false });
  output.progress('first');
  clock.ms = 9_999;
  output.progress('too soon');
  clock.ms = 10_000;
  output.progress('second');
  output.say('done');
  expect(written).toEqual(['first\n', 'second\n', 'done\n']);
});

test('an abandoned step says nothing any more', () => {
  const { output, written, silence } = outputTo({ isTTY: false });
  silence.abort();
  output.say('late');
  expect(written).toEqual([]);
});
