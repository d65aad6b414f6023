import type pg from 'pg';
import { escapeIdentifier } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { withAdvisoryLock } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { expectHarmless, HOSTILE } from '../harness/hostile-text.js';
import { waitFor } from '../harness/wait-for.js';
import { cli, type Ran } from '../unit/cli/fake-world.js';

// HOSTILE everywhere in the databases where somebody else may choose a text.
let site: TestSite;
let settings: Settings;
let app: pg.Client;
let admin: pg.Client;
let cronAdmin: pg.Client;
const role = `${HOSTILE} ${crypto.randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  app = await connectAs(settings.client);
  admin = await adminClient(site.database);
  cronAdmin = await adminClient('postgres');
  await admin.query(`CREATE ROLE ${escapeIdentifier(role)}`);
  return async () => {
    await admin.end();
    // The database, and what the role owned there, is gone by now.
    await cronAdmin.query(`DROP ROLE ${escapeIdentifier(role)}`);
    await cronAdmin.end();
  };
});

/** Runs it for a file and for a terminal; what it prints must be harmless there, and JSON as it should be. */
async function run(argv: string[], changes: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const env = site.environment(changes);
  const now = () => new Date();
  const onTerminal = await cli(argv, { env, now, terminal: true, typed: 'n\n' });
  expectHarmless(onTerminal.stdout, { coloured: true });
  // Lines that are rewritten.
  const said = onTerminal.stderr.replaceAll('\r', '').replaceAll('\u001b[K', '');
  expectHarmless(said, { coloured: true });
  const json = await cli([...argv, '--json'], { env, now });
  JSON.parse(json.stdout);
  const plain = await cli(argv, { env, now });
  expectHarmless(plain.stdout + plain.stderr);
  return plain;
}

it('in functions that doctor would have to replace', async () => {
  await admin.query(
    `CREATE DOMAIN public.${escapeIdentifier(HOSTILE)} AS integer;
     CREATE FUNCTION public.partitioncache_manual_process_queue(${escapeIdentifier(HOSTILE)})
       RETURNS void LANGUAGE sql AS '';
     ALTER FUNCTION public.partitioncache_manual_process_queue OWNER TO ${escapeIdentifier(role)}`,
  );
  const { stdout, code } = await run(['doctor']);
  expect(code).toBe(1);
  expect(stdout).toContain('belong to role "x\\nFORGED');
  expect(stdout).toContain('partitioncache_manual_process_queue(public.U&"x\\000aFORGED');
  const { stderr } = await run(['up']);
  expect(stderr).toContain('x\\nFORGED');
  await admin.query(`DROP DOMAIN public.${escapeIdentifier(HOSTILE)} CASCADE`);
});

it('in tables that doctor names, with a line that can be pasted', async () => {
  await admin.query(`CREATE TABLE public.${escapeIdentifier(HOSTILE)} ()`);
  const { stdout } = await run(['doctor']);
  const line = /^ *(GRANT SELECT ON .*U&.*;)$/m.exec(stdout)?.[1] ?? '';
  expect(line).toContain('x\\000aFORGED');
  await admin.query(line);
  expect((await run(['doctor'])).stdout).not.toContain('FORGED');
});

describe('of a deployment', () => {
  beforeAll(async () => {
    await setUp(settings, { enable: false, parallel: 1, frequencySeconds: 3600 });
  });

  it('in the names of processors', async () => {
    const named = ['processor', 'add', HOSTILE];
    expect((await run(named)).stderr).toContain('already a processor "x\\nFORGED');
    for (const command of ['enable', 'disable', 'remove']) {
      const { code, stdout } = await cli(['processor', command, HOSTILE], {
        env: site.environment(),
      });
      expectHarmless(stdout);
      expect([command, code]).toEqual([command, 0]);
    }
    expect((await run(['processor', 'set', HOSTILE, '--parallel', '2'])).stderr).toContain(
      'no processor "x\\nFORGED',
    );
    await run(named);
    expect((await run(['processor', 'enable', 'other'])).stderr).toContain('x\\nFORGED');
    expect((await run(['processor', 'status'])).stdout).toContain('x\\nFORGED');
    const { stdout } = await cli(['processor', 'status', '--json'], { env: site.environment() });
    expect(
      JSON.parse(stdout).processors.map(({ jobName }: { jobName: string }) => jobName),
    ).toContain(HOSTILE);
  });

  it('in hashes and partition keys, and in what a fragment says', async () => {
    await enqueue(app, settings, [
      {
        hash: HOSTILE,
        key: HOSTILE.replaceAll('\n', '\n '),
        datatype: null,
        query: `SELECT CAST(E'${HOSTILE.replaceAll('\n', '\\n')}' AS integer)`,
      },
    ]);
    await cli(['processor', 'run', '--count', '1'], { env: site.environment() });
    const { stdout } = await run(['processor', 'status']);
    expect(stdout).toMatch(/fragment x\\nFORGED.* of x\\n FORGED/);
    await run(['processor', 'retry', '--hash', HOSTILE]);
    await run(['processor', 'retry', '--hash', HOSTILE, '--status', 'limit']);
    await run(['processor', 'retry', '--partition-key', HOSTILE, '--dry-run']);
  });

  it('in what is at work, of which a line would be pasted', async () => {
    await app.query(`DELETE FROM ${tablesOf(settings).fragmentQueue}`);
    await enqueue(app, settings, [
      { hash: HOSTILE, key: 'zipcode', datatype: null, query: 'SELECT 1 FROM pg_sleep(50)' },
    ]);
    await cli(['processor', 'enable'], { env: site.environment() });
    const running = cli(['processor', 'run', '--count', '1'], { env: site.environment() });
    const { rows } = await waitFor(
      'the fragment to be at work',
      () => admin.query('SELECT pid FROM partitioncache.active_items'),
      { deadlineMs: 20_000, until: ({ rows }) => rows.length === 1 },
    );
    const { stdout } = await run(['processor', 'disable', '--all']);
    expect(stdout).toMatch(/SELECT pg_cancel_backend\(\d+\); {2}-- .*, fragment x\\nFORGED/);
    await run(['processor', 'status']);
    await admin.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    const { stdout: out, stderr } = await running;
    expectHarmless(out + stderr);
  });

  it('in jobs and in what they said', async () => {
    await cli(['processor', 'enable'], { env: site.environment() });
    await cronAdmin.query(
      `INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, return_message, start_time, end_time)
       SELECT jobid, nextval('cron.runid_seq'), database, username, command, 'failed', $1, now(), now()
         FROM cron.job WHERE username = $2`,
      [`ERROR:  ${HOSTILE}\n`, site.cronRole.name],
    );
    await cronAdmin.query(
      'UPDATE cron.job SET jobname = left($1 || jobid, 60) WHERE username = $2',
      [HOSTILE, site.cronRole.name],
    );
    const { stdout } = await run(['status']);
    expect(stdout).toMatch(/failed: ERROR: {2}x\\nFORGED/);
    expect(stdout).toMatch(/^ *x\\nFORGED/m);
    await run(['doctor']);
    const synced = await cli(['sync'], { env: site.environment() });
    expectHarmless(synced.stdout + synced.stderr);
  });

  it('in the name of who holds the lock', async () => {
    const [name, password] = [escapeIdentifier(role), 'once'];
    await admin.query(`ALTER ROLE ${name} LOGIN PASSWORD '${password}'`);
    const holder = await connectAs({ ...settings.work, user: role, password });
    await holder.query("SELECT set_config('application_name', $1, false)", [HOSTILE]);
    await withAdvisoryLock(
      holder,
      streamSites(settings).work.lock,
      { waitSeconds: 0 },
      async () => {
        expect((await run(['sync', '--wait-lock', '0'])).stderr).toContain('user "x\\nFORGED');
      },
    );
  });

  it('in the record of the deployment and in its ledger', async () => {
    await admin.query('UPDATE partitioncache.deployment SET client_role = $1', [HOSTILE]);
    expect((await run(['doctor'])).stdout).toContain('PG_QUEUE_USER was "x\\nFORGED');
    await admin.query('UPDATE partitioncache.deployment SET client_role = $1', [site.app.name]);
    for (const where of ['(SELECT max(id)', '(SELECT min(id)']) {
      await admin.query(
        `UPDATE partitioncache.migrations SET name = $1 || name WHERE id = ${where} FROM partitioncache.migrations)`,
        [HOSTILE],
      );
      for (const command of [['status'], ['up'], ['down'], ['down', '--to', HOSTILE], ['doctor']]) {
        await run(command);
      }
      await admin.query(
        'UPDATE partitioncache.migrations SET name = substr(name, length($1) + 1) WHERE starts_with(name, $1)',
        [HOSTILE],
      );
    }
    expect((await run(['status'])).code).not.toBe(1);
  });

  it('in an error of the server', async () => {
    await admin.query(
      `CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $f$
       BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], DETAIL = TG_ARGV[0], HINT = TG_ARGV[0]; END $f$;
       ALTER FUNCTION public.fail() OWNER TO ${site.migrator.name} -- somebody else's would not be run`,
    );
    const text = HOSTILE.replaceAll("'", "''");
    await admin.query(
      `CREATE TRIGGER fail BEFORE UPDATE ON ${tablesOf(settings).processorConfig}
         FOR EACH ROW EXECUTE FUNCTION fail('${text}')`,
    );
    const { stderr, code } = await run(['processor', 'set', '--parallel', '7']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/x\\nFORGED.*\nDETAIL: x\\nFORGED.*\nHINT: x\\nFORGED/);
    await admin.query('DROP FUNCTION fail CASCADE');
  });
});
