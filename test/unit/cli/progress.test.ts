import { describe, expect, it } from 'vitest';
import { createPrinter } from '../../../src/cli/output/printer.js';
import { progressLines } from '../../../src/cli/output/progress.js';
import { styleOf } from '../../../src/cli/output/style.js';
import type { World } from '../../../src/cli/world.js';
import type { MigrationProgress } from '../../../src/operations/up-report.js';
import { fakeWorld } from './fake-world.js';

const START = Date.parse('2026-01-01T12:00:00Z');

function step(index: number, total: number, changes: Partial<MigrationProgress> = {}) {
  const migration = `${String(index).padStart(4, '0')}_m`;
  return { stream: 'work', direction: 'up', index, total, migration, ...changes } as const;
}

/** What is said when the steps are taken so many milliseconds after the beginning. */
function said(
  terminal: boolean,
  steps: readonly (readonly [ms: number, step: MigrationProgress])[],
  columns?: number,
) {
  let now = START;
  const lineOf = progressLines({ terminal, columns: () => columns, now: () => new Date(now) });
  return steps.map(([ms, progress]) => {
    now = START + ms;
    return lineOf(progress);
  });
}

const kept = (text: string) => ({ text, rewritten: false });
const rewritten = (text: string) => ({ text, rewritten: true });

describe('on a terminal', () => {
  it('every migration is said, on one line that the last one ends', () => {
    const steps = [1, 2, 3].map((index) => [0, step(index, 3)] as const);
    expect(said(true, steps)).toEqual([
      rewritten('work  1/3  0001_m'),
      rewritten('work  2/3  0002_m'),
      kept('work  3/3  0003_m'),
    ]);
  });

  it('the numbers stand in a column, and a rollback is called so', () => {
    expect(
      said(true, [
        [0, step(9, 35, { migration: '0009_x' })],
        [0, step(10, 35, { direction: 'down', stream: 'cron', migration: '0026_x' })],
      ]),
    ).toEqual([rewritten('work   9/35  0009_x'), rewritten('cron  rolling back  10/35  0026_x')]);
  });

  it.each([
    [18, 'work  1/2  0001_m'],
    [17, 'work  1/2  0001_'],
    [0, 'work  1/2  0001_m'],
  ])('of %i columns it does not wrap, as it could not be rewritten then', (columns, text) => {
    expect(said(true, [[0, step(1, 2)]], columns)).toEqual([rewritten(text)]);
    expect(said(true, [[0, step(2, 2)]], columns)).toEqual([kept('work  2/2  0002_m')]);
  });
});

describe('elsewhere', () => {
  it('a stream is told of at most once a second, but for its first and last migration', () => {
    expect(
      said(false, [
        [0, step(1, 6)],
        [999, step(2, 6)],
        [1000, step(3, 6)],
        [1999, step(4, 6)],
        [2000, step(5, 6)],
        [2001, step(6, 6)],
      ]),
    ).toEqual([
      kept('work  1/6  0001_m'),
      undefined,
      kept('work  3/6  0003_m'),
      undefined,
      kept('work  5/6  0005_m'),
      kept('work  6/6  0006_m'),
    ]);
  });

  it('each stream has its own second', () => {
    expect(
      said(false, [
        [0, step(1, 3)],
        [500, step(1, 3, { stream: 'cron' })],
        [1000, step(2, 3)],
        [1400, step(2, 3, { stream: 'cron' })],
        [1500, step(2, 3, { stream: 'cron' })],
      ]),
    ).toEqual([
      kept('work  1/3  0001_m'),
      kept('cron  1/3  0001_m'),
      kept('work  2/3  0002_m'),
      undefined,
      kept('cron  2/3  0002_m'),
    ]);
  });

  it('a transaction that is tried again says its first migration again', () => {
    const steps = [1, 2, 1].map((index) => [0, step(index, 3)] as const);
    expect(said(false, steps)).toEqual([
      kept('work  1/3  0001_m'),
      undefined,
      kept('work  1/3  0001_m'),
    ]);
  });

  it('a single migration is said once', () => {
    expect(said(false, [[0, step(1, 1)]])).toEqual([kept('work  1/1  0001_m')]);
  });
});

describe('the printer', () => {
  const CLEARED = '\r\u001b[K';

  it('rewrites the line and ends it', () => {
    const world = fakeWorld();
    const printer = printerOf(world);
    printer.progress(rewritten('one'));
    printer.progress(rewritten('two'));
    printer.progress(kept('three'));
    printer.progress(rewritten('a'));
    printer.progress(kept('b'));
    printer.err('then');
    expect(world.stderr.text).toBe(
      '\rone\u001b[K\rtwo\u001b[K\rthree\u001b[K\n\ra\u001b[K\rb\u001b[K\nthen\n',
    );
  });

  it('writes plain lines where none is rewritten', () => {
    const world = fakeWorld();
    const printer = printerOf(world);
    printer.progress(kept('one'));
    printer.log('between');
    printer.progress(kept('two'));
    expect(world.stderr.text).toBe('one\nbetween\ntwo\n');
  });

  it('puts a log line above the one that is being rewritten', () => {
    const world = fakeWorld();
    const printer = printerOf(world);
    printer.progress(rewritten('one'));
    printer.log('no lock');
    printer.progress(kept('two'));
    expect(world.stderr.text).toBe(`\rone\u001b[K${CLEARED}no lock\n\rone\u001b[K\rtwo\u001b[K\n`);
  });

  it.each(['err', 'out', 'json'] as const)('leaves it for good before %s', (to) => {
    const world = fakeWorld();
    const printer = printerOf(world);
    printer.progress(rewritten('one'));
    if (to === 'json') printer.json({ a: 1 });
    else printer[to]('end');
    printer.err('after');
    expect(world.stderr.text).toBe(`\rone\u001b[K\n${to === 'err' ? 'end\n' : ''}after\n`);
    expect(world.stdout.text).toBe({ err: '', out: 'end\n', json: '{\n  "a": 1\n}\n' }[to]);
  });

  it('lets no name steer the terminal', () => {
    const world = fakeWorld();
    printerOf(world).progress(rewritten('a\u001b[2J\rb'));
    expect(world.stderr.text).toBe('\ra\\u001b[2J\\rb\u001b[K');
  });
});

function printerOf(world: World) {
  const style = styleOf(world.stderr, {}, true);
  return createPrinter(world, { stdout: style, stderr: style });
}
