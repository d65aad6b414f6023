import { beforeAll, describe, it } from 'vitest';
import type { Attack } from './attack.js';
import { type Bench, type Clean, cleanRun, type Layout, openBench, withstand } from './bench.js';
import { results } from './results.js';
import { advisoryLocks, session } from './session.js';
import { statements } from './statements.js';
import { writes } from './writes.js';

// Each attack is processed together with the next fragments of the queue, in one session. Its title says how it
// ends: refused with an error in the log, or harmless, like any fragment.

function title(attack: Attack): string {
  const name = attack.name.replaceAll('\n', ' ');
  if ('error' in attack) {
    const { error } = attack;
    return `is refused: ${name}: ${typeof error === 'string' ? error : error.source}`;
  }
  const { refusedFrom } = attack;
  return `is harmless: ${name}${refusedFrom ? `, refused from PostgreSQL ${refusedFrom.version / 10_000} on` : ''}`;
}

const WAYS = [
  ['a run of a slot', 'slot'],
  ['processing by hand in one transaction', 'manual'],
] as const;

/** The tests of all attacks in this layout: for a file of its own each, since they take minutes. */
export function withstandAll(layout: Layout): void {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench(layout);
    return () => bench.admin.end();
  });

  describe.each(WAYS)('in %s', (_, way) => {
    let clean: Clean;

    beforeAll(async () => {
      clean = await cleanRun(bench, way);
    });

    describe.each([
      ['a write', writes],
      ['a statement that is not one SELECT', statements],
      ['a change of the session', session],
      ['an advisory lock of the session', advisoryLocks],
      ['a strange result', results],
    ] as const)('%s', (_, attacks) => {
      it.each(
        attacks
          .filter(({ costly }) => way === 'slot' || !costly)
          .map((attack) => [title(attack), attack] as const),
      )('%s', (_, attack) => withstand(bench, way, clean, attack));
    });
  });
}
