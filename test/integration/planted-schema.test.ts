import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { adminClient, createRole } from '../harness/databases.js';

import { connectAs, createSite, type TestSite } from '../harness/deployment.js';

import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// Whoever may create a schema can be there before the first deployment. Nothing of it may run.
const OURS = 'partitioncache';

let site: TestSite;
let outsider: pg.Client;
let admin: pg.Client;

beforeAll(async () => {
  site = await createSite();
  admin = await adminClient(site.database, site.cluster);
  const role = await createRole('outsider', site.cluster);
  await admin.query(`GRANT CREATE ON DATABASE "${site.database}" TO ${role.name};
    CREATE TABLE public.traces (who text); GRANT ALL ON public.traces TO PUBLIC;`);
  outsider = await connectAs({
    ...site.settings().work,
    user: role.name,
    password: role.password,
  });
});

beforeEach(async () => {
  await outsider.query(`DROP SCHEMA IF EXISTS ${OURS} CASCADE`);
});

/** Each table of the ledger is a view that runs the outsider's code as whoever reads it. */
async function plant(): Promise<void> {
  await outsider.query(`
    CREATE SCHEMA ${OURS};
    GRANT USAGE ON SCHEMA ${OURS} TO PUBLIC;
    CREATE FUNCTION ${OURS}.leave_trace() RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM set_config('default_transaction_read_only', 'off', false);
        INSERT INTO public.traces VALUES (current_user);
        RETURN '0001_ledger';
      END $$;
    CREATE VIEW ${OURS}.migrations AS
      SELECT 1 AS id, ${OURS}.leave_trace()::varchar AS name, now()::timestamp AS run_on;
    CREATE VIEW ${OURS}.release AS SELECT ${OURS}.leave_trace() AS number, 1 AS next;
    CREATE FUNCTION ${OURS}.desired_jobs(text DEFAULT NULL) RETURNS jsonb LANGUAGE sql
      AS $$ SELECT to_jsonb(${OURS}.leave_trace()) $$;
    GRANT SELECT ON ALL TABLES IN SCHEMA ${OURS} TO PUBLIC;`);
}

async function traces(): Promise<string[]> {
  const { rows } = await admin.query<{ who: string }>('SELECT who FROM public.traces');
  return rows.map(({ who }) => who);
}

describe('a schema of our name that somebody else made', () => {
  it.each([
    'status',
    'history',
    'plan',
    'plan --down',
    'verify',
    'verify --fix --yes',
    'up',
    'down --yes',
    'sync',
    'processor status',
    'processor set --parallel 2',
    'processor run',
    'processor retry',
    'doctor',
  ])('is not read by %s', async (command) => {
    await plant();
    const { code, stdout, stderr } = await cli(command.split(' '), { env: site.environment() });
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/belongs to role|is not ours|could be replaced by/);
    expect(await traces()).toEqual([]);
  });

  it('is not read either when it is made while up waits for the lock', async () => {
    const key = String(lockId(streamSites(site.settings()).work.lock));
    await outsider.query('SELECT pg_advisory_lock($1)', [key]);
    const running = cli(['up'], { env: site.environment() });
    await waitFor(
      'up waits for the lock',
      async () => {
        const { rowCount } = await admin.query(
          `SELECT FROM pg_stat_activity WHERE application_name = 'pcache-migrate'
              AND datname = current_database() AND query LIKE '%pg_try_advisory_lock%'`,
        );
        return rowCount !== 0;
      },
      { deadlineMs: 30_000 },
    );
    await plant();
    await outsider.query('SELECT pg_advisory_unlock($1)', [key]);
    const { code, stderr } = await running;
    expect(stderr).toContain('belongs to role "outsider');
    expect(code).toBe(1);
    expect(await traces()).toEqual([]);
  });
});
