import type pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../harness/wait-for.js';
import { byFunction } from './untrusted/attack.js';
import {
  type Bench,
  canary,
  cleanRun,
  emptyQueue,
  enable,
  enqueueInOrder,
  keysOf,
  LAYOUTS,
  openBench,
  openSession,
  openSite,
  outcomeOf,
  queueOf,
  runQueued,
  type Way,
  worldOf,
} from './untrusted/bench.js';

// Fragments that attack the run itself: they try to be retried forever, to end the run, or to have it twice.

describe.each(LAYOUTS)('%s', (layout) => {
  let bench: Bench;
  let clean: readonly number[];

  beforeAll(async () => {
    bench = await openBench(layout);
    clean = (await cleanRun(bench, 'slot')).canary;
    return () => bench.admin.end();
  });

  // What one test could not get rid of must not keep the next one from its turn.
  afterEach(() => emptyQueue(bench));

  function attack(hash: string, query: string) {
    return { hash, key: 'zipcode', datatype: 'integer', query };
  }

  /** Starts runs, each ended by a fragment queued after the others, until this one is settled; returns how many. */
  async function runsUntilSettled(way: Way, hash: string): Promise<number> {
    let runs = 0;
    await waitFor(
      `${hash} settled`,
      async () => {
        runs += 1;
        await enqueueInOrder(bench, [canary(`${hash} (${way}), run ${runs}, at last`)]);
        await runQueued(bench, way);
        return outcomeOf(bench, hash);
      },
      { deadlineMs: 40_000 },
    );
    return runs;
  }

  describe.each([
    ['a run of a slot', 'slot'],
    ['processing by hand in one transaction', 'manual'],
  ] as const)('in %s', (_, way) => {
    it.each([
      ['40001', 'a serialization failure'],
      ['40P01', 'a deadlock'],
      ['55P03', 'a lock that was not available'],
    ])(
      'is refused after some attempts, the next fragment in the same run: SQLSTATE %s on purpose, as %s',
      async (code) => {
        const hash = `${code} (${way})`;
        await enqueueInOrder(bench, [
          attack(hash, `SELECT attack.raise('${code}')`),
          canary(`${hash}, at last`),
        ]);
        const run = await runQueued(bench, way);
        expect(run).toMatchObject({ error: undefined, after: run.before, notices: [] });
        expect(await outcomeOf(bench, `${hash}, at last`)).toBe('ok');
        expect(await keysOf(bench, 'zipcode', `${hash}, at last`)).toEqual(clean);

        await runsUntilSettled(way, hash);
        expect(await outcomeOf(bench, hash)).toMatch(new RegExp(`^failed: .*${code}: on purpose$`));
        expect(await queueOf(bench)).toEqual([]);
      },
    );

    // Nothing distinguishes the second from an operator's cancel, after which a run ends and the fragment goes back.
    // But what comes back again and again must not keep the others from their turn forever.
    it.each([
      ['SQLSTATE 57014 on purpose', "SELECT attack.raise('57014')", '57014'],
      [
        'cancelling its own backend',
        'SELECT 1 FROM (SELECT pg_cancel_backend(pg_backend_pid())) AS a, pg_sleep(60)',
        layout === 'with a fragment role' ? '42501' : '57014',
      ],
    ])('is refused, perhaps after some runs: %s', async (name, query, code) => {
      const hash = `${name} (${way})`;
      await enqueueInOrder(bench, [attack(hash, query), canary(`${hash}, then`)]);
      expect(await runsUntilSettled(way, hash)).toBeLessThan(50);
      expect(await outcomeOf(bench, hash)).toMatch(new RegExp(`^failed: .*${code}`));
      expect(await outcomeOf(bench, `${hash}, then`)).toBe('ok');
      expect(await keysOf(bench, 'zipcode', `${hash}, then`)).toEqual(clean);
    });
  });

  describe('in a run of a slot', () => {
    it('is refused, after some runs without a fragment role: terminating its own backend', async () => {
      const hash = 'terminated';
      await enqueueInOrder(bench, [
        attack(
          hash,
          'SELECT 1 FROM (SELECT pg_terminate_backend(pg_backend_pid())) AS a, pg_sleep(60)',
        ),
        canary(`${hash}, then`),
      ]);
      await runsUntilSettled('slot', hash);
      expect(await outcomeOf(bench, hash)).toMatch(
        bench.site.fragmentRole === undefined
          ? /^failed: set aside after 3 attempts/
          : /^failed: 42501: /,
      );
      expect(await outcomeOf(bench, `${hash}, then`)).toBe('ok');
      expect(await keysOf(bench, 'zipcode', `${hash}, then`)).toEqual(clean);
    });

    it.each([
      ['releasing all its locks', 'SELECT attack.wait_for_test() FROM pg_advisory_unlock_all()'],
      [
        'releasing the lock of its slot',
        `SELECT attack.wait_for_test()
         FROM (SELECT count(pg_advisory_unlock(classid::integer, objid::integer)) FROM pg_locks
                WHERE locktype = 'advisory' AND objsubid = 2 AND pid = pg_backend_pid()) AS released`,
      ],
    ])('is harmless: %s, the slot stays taken', async (name, query) => {
      const hash = `slot: ${name}`;
      const next = `${hash}, at last`;
      await bench.admin.query('SELECT pg_advisory_lock(815, 1)');
      await enqueueInOrder(bench, [attack(hash, query), canary(next)]);
      await enable(bench, true);
      const first = await openSession(bench, 'slot');
      const second = await openSession(bench, 'slot');
      const run = first.query('CALL partitioncache.run_processor($1, 1)', [bench.job]);
      let left = false;
      let intrusion: Promise<unknown> | undefined;
      try {
        await waitUntilWaiting(bench.admin);
        intrusion = second
          .query('CALL partitioncache.run_processor($1, 1)', [bench.job])
          .then(() => {
            left = true;
          });
        await waitFor('the second run of the slot to leave', async () => left, {
          deadlineMs: 10_000,
        });
        expect(await outcomeOf(bench, next)).toBe(undefined);
      } finally {
        await bench.admin.query('SELECT pg_advisory_unlock(815, 1)');
        await run;
        await intrusion;
        await enable(bench, false);
      }
      expect(await outcomeOf(bench, hash)).toBe('ok');
      expect(await outcomeOf(bench, next)).toBe('ok');
      expect(await keysOf(bench, 'zipcode', next)).toEqual(clean);
    });
  });

  async function waitUntilWaiting(admin: pg.Client): Promise<void> {
    await waitFor(
      'the fragment to wait for the test',
      async () =>
        (
          await admin.query(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 815 AND NOT granted",
          )
        ).rowCount,
      { deadlineMs: 20_000 },
    );
  }

  describe('in a job of pg_cron', () => {
    it('one attack of each kind has the same result, and the fragments between them are cached', async () => {
      const cron = await openSite(layout, { enable: true });
      const attacks: readonly (readonly [string, unknown])[] = [
        [
          byFunction('DELETE FROM attack.witness'),
          'failed: 25006: cannot execute DELETE in a read-only transaction',
        ],
        ['SELECT 1; DELETE FROM attack.witness', expect.stringMatching(/^failed: 42(601|P11): /)],
        [byFunction('CALL attack.commit()'), 'failed: 2D000: invalid transaction termination'],
        ["SELECT 1 FROM set_config('search_path', 'nowhere', false)", 'ok'],
        [byFunction('LISTEN attack'), 'ok'],
        ["SELECT 1 FROM pg_notify('attack', 'loot')", 'ok'],
        ['SELECT 1 FROM pg_advisory_unlock_all()', 'ok'],
        ['SELECT 1 FROM pg_advisory_lock(4711)', 'ok'],
        ["SELECT attack.flood('notice')", 'ok'],
        ['SELECT attack.recurse()', 'failed: 54001: stack depth limit exceeded'],
      ];
      const items = attacks.flatMap(([query], i) => [
        attack(`attack ${i}`, query),
        canary(`attack ${i}, then`),
      ]);
      const hashes = items.map(({ hash }) => hash);
      const witness = async () =>
        (await worldOf(cron, hashes)).filter((line) => line.startsWith('rows of attack.'));
      const before = await witness();
      await enqueueInOrder(cron, items);
      // pg_cron 1.4 starts jobs only at the full minute.
      await waitFor('an empty queue', async () => (await queueOf(cron)).length === 0, {
        deadlineMs: 100_000,
      });

      const outcomes = await Promise.all(hashes.map((hash) => outcomeOf(cron, hash)));
      expect(outcomes).toEqual(attacks.flatMap(([, outcome]) => [outcome, 'ok']));
      const canaries = hashes.filter((hash) => hash.endsWith(', then'));
      for (const hash of canaries) expect(await keysOf(cron, 'zipcode', hash)).toEqual(clean);
      expect(await witness()).toEqual(before);
      expect(cron.notifications).toEqual([]);
      await enable(cron, false);
      await cron.admin.end();
    }, 150_000);
  });
});
