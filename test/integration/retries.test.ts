import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient } from '../harness/databases.js';
import type { Fragment } from '../harness/deployment.js';
import {
  type ManualSite,
  outcomeOf,
  processInRuns,
  processNow,
  startManualSite,
} from '../harness/manual-site.js';
import { waitFor } from '../harness/wait-for.js';

// What the server asks clients to retry is retried.

describe('a fragment that meets a transient error', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startManualSite();
    await it_.work.query(`
      CREATE TABLE mood (sqlstate text);
      CREATE FUNCTION moody() RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE v_sqlstate text := (SELECT sqlstate FROM mood);
        BEGIN
          IF v_sqlstate IS NOT NULL THEN
            RAISE EXCEPTION 'in a mood' USING ERRCODE = v_sqlstate;
          END IF;
          RETURN 3;
        END $$;
      CREATE TABLE first_table (id integer);
      CREATE TABLE second_table (id integer);
      CREATE FUNCTION reads_both() RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM FROM first_table;
          -- Not before somebody waits for the lock that it now holds.
          WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'first_table'::regclass AND NOT granted)
            AND EXISTS (SELECT FROM pg_locks WHERE relation = 'second_table'::regclass AND granted
                           AND mode = 'AccessExclusiveLock') LOOP
            PERFORM pg_sleep(0.02);
          END LOOP;
          PERFORM FROM second_table;
          RETURN 5;
        END $$;
      GRANT SELECT ON mood, first_table, second_table TO PUBLIC`);
  });

  beforeEach(async () => {
    await it_.work.query('DELETE FROM mood');
  });

  it.each([
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
  ])('stays queued after %s and is cached once that has passed', async (what, sqlstate) => {
    const moody = fragment(`${what} passes`, 'SELECT moody()');
    await it_.work.query('INSERT INTO mood VALUES ($1)', [sqlstate]);
    await processNow(it_, [moody]);
    expect(await outcomeOf(it_, moody)).toMatchObject({ status: null, queued: true });
    await it_.work.query('DELETE FROM mood');
    await processInRuns(it_, [], () => cached(moody));
    expect(await outcomeOf(it_, moody)).toMatchObject({ logged: 'success', queued: false });
  });

  it.each([
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
  ])('fails for good after max_attempts of %s, and the queue goes on', async (what, sqlstate) => {
    const moody = fragment(`${what} stays`, 'SELECT moody()');
    const next = fragment(`${what} stays, next`, 'SELECT 1');
    await it_.work.query('INSERT INTO mood VALUES ($1)', [sqlstate]);
    await processInRuns(it_, [moody, next]);
    expect(await outcomeOf(it_, moody)).toEqual({
      status: 'failed',
      logged: 'failed',
      error: expect.stringMatching(new RegExp(`^set aside after 3 attempts.*${sqlstate}`)),
      queued: false,
    });
    expect(await outcomeOf(it_, next)).toMatchObject({ status: 'ok' });
  });

  it('is retried after a deadlock with a client', async () => {
    const reader = fragment('deadlock', 'SELECT reads_both()');
    const client = await adminClient(it_.site.database);
    // The fragment must be the victim of the deadlock.
    await client.query("SET deadlock_timeout = '60s'");
    await client.query('BEGIN; LOCK TABLE second_table IN ACCESS EXCLUSIVE MODE');
    await processInRuns(it_, [reader], async (pid) => {
      await waitFor('the fragment at the first table', () => holdsFirstTable(pid), {
        deadlineMs: 20_000,
      });
      // Granted once the server has cancelled the fragment, and not before.
      await client.query('LOCK TABLE first_table IN ACCESS EXCLUSIVE MODE');
      expect((await outcomeOf(it_, reader)).queued).toBe(true);
      await client.query('ROLLBACK');
    });
    await client.end();
    expect(await outcomeOf(it_, reader)).toMatchObject({ status: 'ok', logged: 'success' });
  });

  async function holdsFirstTable(pid: number): Promise<boolean> {
    const { rowCount } = await it_.work.query(
      "SELECT FROM pg_locks WHERE pid = $1 AND relation = 'first_table'::regclass AND granted",
      [pid],
    );
    return rowCount !== 0;
  }

  async function cached(wanted: Fragment): Promise<void> {
    await waitFor(`${wanted.hash} in the cache`, () => outcomeOf(it_, wanted), {
      deadlineMs: 30_000,
      until: ({ status }) => status === 'ok',
    });
  }
});

function fragment(hash: string, query: string): Fragment {
  return { hash, key: 'zipcode', datatype: 'integer', query };
}
