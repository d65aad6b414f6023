import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { adminClient } from '../harness/databases.js';
import { connectAs, enqueue, tablesOf } from '../harness/deployment.js';
import { type JobSite, startJobSite } from '../harness/prompt-jobs.js';
import { waitFor } from '../harness/wait-for.js';

// The timeout holds against fragments that do what they can to escape it, in pg_cron's own jobs.

const LIMIT_SECONDS = 2;
// Ten seconds of cancels before a session is terminated, and two looks of the watchdog.
const WORST_MS = (LIMIT_SECONDS + 10 + 5) * 1000;
// pg_cron 1.4 starts a run that has ended again at the full minute.
const SETTLED_MS = 100_000;
const TEST_MS = 180_000;

// With the owner's rights of none but the fragment: everybody may create such functions.
const ACCOMPLICES = `
  CREATE FUNCTION sleep_on(deaf boolean) RETURNS integer LANGUAGE plpgsql AS $$
  BEGIN
    LOOP
      BEGIN
        PERFORM pg_sleep(3600);
      EXCEPTION WHEN query_canceled THEN
        IF NOT deaf THEN RAISE; END IF;
      END;
    END LOOP;
  END $$;

  CREATE FUNCTION end_sessions(deaf boolean) RETURNS integer LANGUAGE plpgsql AS $$
  DECLARE
    victim integer;
  BEGIN
    LOOP
      BEGIN
        FOR victim IN SELECT pid FROM pg_stat_get_activity(NULL) WHERE pid <> pg_backend_pid() LOOP
          BEGIN
            PERFORM pg_terminate_backend(victim);
          EXCEPTION WHEN insufficient_privilege THEN NULL;
          END;
        END LOOP;
        PERFORM pg_sleep(0.002);
      EXCEPTION WHEN query_canceled THEN
        IF NOT deaf THEN RAISE; END IF;
      END;
    END LOOP;
  END $$;

  CREATE FUNCTION flood() RETURNS integer LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM set_config('client_min_messages', 'debug5', true);
    LOOP
      RAISE NOTICE '%', repeat('flood ', 1000);
    END LOOP;
  END $$;

  CREATE FUNCTION take_our_locks() RETURNS integer LANGUAGE plpgsql AS $$
  DECLARE
    target record;
  BEGIN
    PERFORM set_config('lock_timeout', '1ms', true);
    FOR target IN
      SELECT oid::integer AS class, i AS key FROM pg_class, generate_series(0, 90) AS i WHERE relname = 'batch'
      UNION ALL
      SELECT oid::integer, i FROM pg_namespace, generate_series(0, 9) AS i WHERE nspname = 'partitioncache'
    LOOP
      BEGIN
        PERFORM pg_advisory_lock(target.class, target.key);
      EXCEPTION WHEN lock_not_available THEN NULL;
      END;
    END LOOP;
    RETURN sleep_on(true);
  END $$;

  CREATE FUNCTION fill_lock_table() RETURNS integer LANGUAGE plpgsql AS $$
  BEGIN
    FOR key IN 1 .. 1000000 LOOP
      BEGIN
        PERFORM pg_advisory_lock(key);
      EXCEPTION WHEN out_of_memory THEN EXIT;
      END;
    END LOOP;
    RETURN sleep_on(true);
  END $$;

  CREATE FUNCTION fill_connections(address text) RETURNS integer LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 1 .. 1000 LOOP
      BEGIN
        PERFORM dblink_connect('c' || i, address);
      EXCEPTION WHEN OTHERS THEN
        EXIT;
      END;
    END LOOP;
    RETURN sleep_on(true);
  END $$;`;

describe.each([
  ['a fragment role', 'off', true],
  ['a fragment role and background workers', 'on', true],
  ['no fragment role', 'off', false],
] as const)('with %s, the timeout holds against a fragment that', (_, workers, fragmentRole) => {
  let jobs: JobSite;
  let admin: pg.Client;
  let app: pg.Client;
  let since: Date;

  beforeAll(async () => {
    jobs = await startJobSite(
      workers,
      { parallel: 4, timeoutSeconds: LIMIT_SECONDS },
      { fragmentRole, server: { max_locks_per_transaction: '10', max_connections: '40' } },
    );
    admin = await adminClient(jobs.site.database, jobs.cluster);
    app = await connectAs(jobs.settings.client);
    await admin.query('CREATE EXTENSION dblink');
    await app.query(ACCOMPLICES);
    since = (await admin.query('SELECT now() AS since')).rows[0].since;
    return () => admin.end();
  }, 120_000);

  const attacks: readonly (readonly [string, () => string])[] = [
    ['ignores cancels', () => 'SELECT sleep_on(true)'],
    // Without a role of its own it may end the sessions of the cron role: docs/security.md.
    ...(fragmentRole
      ? ([
          ['ends every session that it can', () => 'SELECT end_sessions(false)'],
          ['does so and ignores cancels', () => 'SELECT end_sessions(true)'],
        ] as const)
      : []),
    ['floods its client with messages', () => 'SELECT flood()'],
    ['takes all advisory locks of ours that are free', () => 'SELECT take_our_locks()'],
    ['fills the table of locks', () => 'SELECT fill_lock_table()'],
    [
      'fills the server with connections back',
      () =>
        `SELECT fill_connections('host=127.0.0.1 port=${jobs.cluster.serverPort} dbname=${jobs.site.database} user=${jobs.site.app.name} password=${jobs.site.app.password}')`,
    ],
  ];

  it.each(attacks)(
    '%s',
    async (name, query) => {
      const next = `after: ${name}`;
      await enqueue(app, jobs.settings, [fragment(name, query())]);
      const log = await logged(name);
      expect(log).toMatchObject({
        status: expect.stringMatching(/^(timeout|failed)$/),
        error: expect.stringMatching(
          /^((57014|53200): (cancelled|terminated)|set aside after 3 attempts)/,
        ),
      });
      expect(log.ms).toBeLessThan(WORST_MS);
      await enqueue(app, jobs.settings, [fragment(next, 'SELECT 1')]);
      expect(await logged(next)).toMatchObject({ status: 'success' });
    },
    TEST_MS,
  );

  it('and the watchdog itself has never failed, where the server let it begin', async () => {
    const history = await adminClient('postgres', jobs.cluster);
    // Between two of its runs a second passes, in which the fragments above take all locks or connections. And
    // pg_cron's own launcher ends when it gets no lock, and notes that of what was running as it begins again.
    const { rows } = await history.query(
      `SELECT status, return_message FROM cron.job_run_details
        WHERE command LIKE '%run_maintenance%' AND start_time >= $1 AND status = 'failed'
          AND return_message !~ 'server restarted|connection|too many clients|out of shared memory'`,
      [since],
    );
    await history.end();
    expect(rows).toEqual([]);
  });

  async function logged(hash: string): Promise<{ status: string; ms: number; error: string }> {
    const { processorLog } = tablesOf(jobs.settings);
    return waitFor(
      `${hash} in the log`,
      async () =>
        (
          await admin.query(
            `SELECT status, execution_time_ms::float8 AS ms, error_message AS error
                 FROM ${processorLog} WHERE query_hash = $1`,
            [hash],
          )
        ).rows[0],
      { deadlineMs: SETTLED_MS },
    );
  }
});

function fragment(hash: string, query: string) {
  return { hash, key: 'zipcode', datatype: 'integer', query };
}
