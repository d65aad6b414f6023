import type pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adminClient } from '../harness/databases.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import { type JobSite, startJobSite } from '../harness/prompt-jobs.js';
import { waitFor } from '../harness/wait-for.js';

// pg_cron's own jobs, on either runtime. A run that has ended starts again at the full minute on pg_cron 1.4.
const SERVED_MS = 90_000;
const TEST_MS = 180_000;

const SLOTS = 3;
// Each takes a second: they outlast what is measured beside them, and are removed after it.
const SLOW = 400;
const QUICK = 50;

describe('two partition keys that share the slots', () => {
  let jobs: JobSite;
  let admin: pg.Client;
  let app: pg.Client;

  beforeAll(async () => {
    jobs = await startJobSite('off', { parallel: SLOTS });
    admin = await adminClient(jobs.site.database, jobs.cluster);
    app = await connectAs(jobs.settings.client);
    return () => admin.end();
  });

  afterEach(removeQueued);

  it.each([
    ['queued after them', 1],
    ['of a lower priority', 9],
  ])(
    'serves quick fragments while slow ones of another key wait, %s',
    async (_title, priority) => {
      const slow = fragments('slow', SLOW, 'SELECT 1 FROM pg_sleep(1)');
      const quick = fragments('quick', QUICK, 'SELECT 1');
      await enqueue(app, jobs.settings, slow);
      await app.query(`UPDATE ${queue()} SET priority = $1`, [priority]);
      await waitFor('slow fragments in all slots', async () => (await atWork('slow')) === SLOTS, {
        deadlineMs: SERVED_MS,
      });
      const before = await queued('slow');
      await enqueue(app, jobs.settings, quick);
      await waitFor('the quick ones served', async () => (await queued('quick')) === 0, {
        deadlineMs: SERVED_MS,
      });
      const slowMeanwhile = before - (await queued('slow'));
      // The slots get round to the quick ones when their slow one is over: a few each, not all of them.
      expect(slowMeanwhile).toBeLessThan(10 * SLOTS);
      expect(await statuses('quick')).toEqual({ success: QUICK });
    },
    TEST_MS,
  );

  it(
    'gives all slots to one key when no other has work',
    async () => {
      await enqueue(app, jobs.settings, fragments('alone', SLOW, 'SELECT 1 FROM pg_sleep(1)'));
      await waitFor('all slots at work', async () => (await atWork('alone')) === SLOTS, {
        deadlineMs: SERVED_MS,
      });
    },
    TEST_MS,
  );

  function queue() {
    return tablesOf(jobs.settings).fragmentQueue;
  }

  async function queued(key: string): Promise<number> {
    return count(`${queue()} WHERE partition_key = $1`, key);
  }

  /** How many slots are evaluating a fragment of this key. */
  async function atWork(key: string): Promise<number> {
    return count(
      `partitioncache.working_runs() AS running JOIN ${queue()} AS queue ON queue.id = running.queue_id
        WHERE queue.partition_key = $1`,
      key,
    );
  }

  async function count(from: string, key: string): Promise<number> {
    const { rows } = await admin.query(`SELECT count(*)::integer FROM ${from}`, [key]);
    return rows[0].count;
  }

  async function statuses(key: string) {
    const { rows } = await admin.query(
      `SELECT status, count(*)::integer FROM ${tablesOf(jobs.settings).processorLog}
        WHERE partition_key = $1 GROUP BY status`,
      [key],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }

  /** Also what the slots have begun: the next test starts with all of them free. */
  async function removeQueued() {
    await waitFor(
      'no slot at work',
      async () => {
        await admin.query(`DELETE FROM ${queue()}`);
        return count('partitioncache.working_runs() WHERE $1 <> job_name', '');
      },
      { deadlineMs: SERVED_MS, until: (working) => working === 0 },
    );
    await admin.query(
      `TRUNCATE ${tablesOf(jobs.settings).processorLog}, ${tablesOf(jobs.settings).queries}`,
    );
  }
});

function fragments(key: string, number: number, query: string): Fragment[] {
  return Array.from({ length: number }, (_, i) => ({
    hash: `${key} ${i}`,
    key,
    datatype: 'integer',
    query: `${query} WHERE ${i} = ${i}`,
  }));
}
