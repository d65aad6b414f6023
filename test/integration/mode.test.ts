import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { changeMode } from '../../src/operations/mode/change-mode.js';
import { settingsAt } from '../../src/operations/mode/old-place.js';
import { tidyOldPlace } from '../../src/operations/mode/tidy-old-place.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, enqueue, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin as administer } from '../harness/moved-databases.js';
import { waitFor } from '../harness/wait-for.js';
import { cli, type Ran } from '../unit/cli/fake-world.js';

// One deployment on its way through all places and transports, on a server that is really restarted: each test
// continues where the previous one stopped.
let cluster: ThrowawayCluster;
let site: TestSite;
let app: pg.Client;
let work: string;
/** As `up` left them. */
let released: unknown;

/** Where the settings want pg_cron. */
let wanted: NodeJS.ProcessEnv = {};

const stranger = 'mode stranger';

const ADMIN = () => ({ PG_ADMIN_USER: 'postgres', PG_ADMIN_PASSWORD: cluster.adminPassword });

beforeAll(async () => {
  cluster = await startOwnCluster({ settings: { max_worker_processes: '30' } });
  await asAdmin('postgres', 'CREATE EXTENSION pg_cron');
  site = await createSite({ cluster, link: true });
  work = site.database;
  // Another application's, in the same pg_cron.
  await asAdmin(
    'postgres',
    "SELECT cron.schedule_in_database('vacuum it''s', '17 4 * * *', 'VACUUM', 'template1')",
  );
  wanted = { PCACHE_CRON_TRANSPORT: 'deploy' };
  await setUp(site.settings(wanted), { parallel: 2, frequencySeconds: 1 });
  app = await reconnected();
});

function run(line: string, changes: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return cli(line.split(' '), {
    env: site.environment({ ...wanted, ...changes }),
    now: () => new Date(),
  });
}

const asAdmin = (database: string, ...statements: string[]) =>
  administer(cluster, statements, database);

const reconnected = () => connectAs(site.settings(wanted).client);

async function restart(): Promise<void> {
  await cluster.restart();
  app = await reconnected();
}

/** What the text tells to type, in its order, by database; and the restart. */
function typed(text: string): { database: string; line: string }[] {
  const lines: { database: string; line: string }[] = [];
  let database = '';
  for (const line of text.split('\n')) {
    const where = /in database "(.*)":$/.exec(line)?.[1];
    if (where !== undefined) database = where;
    if (/pg_ctl restart/.test(line)) lines.push({ database: '', line: 'restart' });
    if (/^ +\S.*;$/.test(line)) lines.push({ database, line: line.trim() });
  }
  return lines;
}

async function type(text: string, carriesOver = true): Promise<void> {
  const lines = typed(text);
  expect(lines).not.toEqual([]);
  const carried: string[] = [];
  for (const { database, line } of lines) {
    if (line === 'restart') {
      await restart();
      continue;
    }
    const rows = await asAdmin(database, line);
    if (line.startsWith('SELECT format(')) carried.push(...rows.map(({ format }) => format));
  }
  if (!carriesOver) return;
  await asAdmin(site.settings(wanted).cron.database, ...carried);
}

/** pg_cron's jobs in a database, by who made them. */
async function jobsIn(database: string): Promise<{ ours: number; others: string[] }> {
  const [there] = await asAdmin(
    database,
    "SELECT count(*)::int AS count FROM pg_extension WHERE extname = 'pg_cron'",
  );
  if (there.count === 0) return { ours: 0, others: [] };
  const rows = await asAdmin(
    database,
    `SELECT jobname, username = '${site.cronRole.name}' AS ours FROM cron.job`,
  );
  return {
    ours: rows.filter(({ ours }) => ours).length,
    others: rows.filter(({ ours }) => !ours).map(({ jobname }) => jobname),
  };
}

async function ourSchemasIn(database: string): Promise<string[]> {
  const rows = await asAdmin(
    database,
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'partitioncache\\_%' ORDER BY 1",
  );
  return rows.map(({ nspname }) => nspname);
}

async function ourRunsIn(database: string): Promise<number> {
  const [row] = await asAdmin(
    database,
    `SELECT count(*)::int AS runs FROM cron.job_run_details WHERE username = '${site.cronRole.name}'`,
  );
  return row.runs;
}

/** Every row that is the user's, in the clients' schema and of the processor. */
async function everyRow(): Promise<Record<string, string>> {
  const tables = await asAdmin(
    work,
    `SELECT c.oid::regclass::text AS name FROM pg_class AS c
      -- Of what is at work, which maintenance shows and forgets by itself, not.
      WHERE relkind = 'r' AND relname !~ 'active_jobs$' AND (relnamespace = 'public'::regnamespace
        OR c.oid IN ('partitioncache.settings'::regclass, 'partitioncache.attempt'::regclass))`,
  );
  const rows: Record<string, string> = {};
  for (const { name } of tables) {
    const [content] = await asAdmin(
      work,
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(row, '' ORDER BY row)), '') AS is
         FROM (SELECT (to_jsonb(t) - 'job_ids' - 'updated_at')::text AS row FROM ${name} AS t) AS rows`,
    );
    rows[name] = content.is;
  }
  return rows;
}

/** A fragment that a job of pg_cron evaluates: pg_cron 1.4 starts them on the minute, or with itself. */
async function processes(hash: string, cronDatabase: string): Promise<void> {
  const settings = site.settings(wanted);
  const everyMinute = await asAdmin(
    cronDatabase,
    `SELECT jobid FROM cron.job WHERE schedule = '* * * * *' AND username = '${site.cronRole.name}'`,
  );
  await enqueue(app, settings, [
    { hash, key: 'zipcode', datatype: 'integer', query: `SELECT zipcode FROM pois -- ${hash}` },
  ]);
  if (everyMinute.length > 0) {
    const cronRole = await connectAs({ ...settings.cron, database: cronDatabase });
    await cronRole.query(
      `SELECT cron.schedule_in_database('at the start: ' || jobid, '@reboot', command, database)
         FROM cron.job WHERE schedule = '* * * * *'`,
    );
    await restart();
    const again = await connectAs({ ...settings.cron, database: cronDatabase });
    await again.query("SELECT cron.unschedule(jobid) FROM cron.job WHERE schedule = '@reboot'");
  }
  await waitFor(
    `the fragment ${hash} in the cache`,
    async () =>
      (
        await app.query("SELECT FROM my_cache_queries WHERE query_hash = $1 AND status = 'ok'", [
          hash,
        ])
      ).rowCount,
    { deadlineMs: 70_000 },
  );
  expect(await ourRunsIn(cronDatabase)).toBeGreaterThan(0);
  const { rows } = await app.query(
    'SELECT status FROM partitioncache_queue_processor_log WHERE query_hash = $1',
    [hash],
  );
  expect(rows).toEqual([{ status: 'success' }]);
}

/** The releases, and to which of them the cron stream belongs. */
async function releases(cronDatabase: string): Promise<unknown> {
  const [{ last }] = await asAdmin(
    cronDatabase,
    `SELECT array_agg(name || ' of ' || release ORDER BY name) AS last
       FROM "${site.settings(wanted).cronSchema}".ledger`,
  );
  return [last, await asAdmin(work, 'SELECT * FROM partitioncache.release ORDER BY number')];
}

describe('from cross mode to single mode, without an administrator in the settings', () => {
  it("begins with a processor that works, rows everywhere, and another application's job", async () => {
    await processes('in cross mode', 'postgres');
    await asAdmin(
      work,
      `INSERT INTO partitioncache_queue_original_query_queue (query, partition_key) VALUES ('SELECT 1', 'zipcode')`,
      `INSERT INTO partitioncache_queue_query_fragment_queue (query, hash, partition_key) VALUES ('SELECT 1', 'waits', 'zipcode')`,
      `INSERT INTO partitioncache.attempt (query_hash, partition_key, attempts, not_before, last_error) VALUES ('waits', 'zipcode', 1, 'infinity', 'an error')`,
    );
    expect(await jobsIn('postgres')).toEqual({ ours: 5, others: ["vacuum it's"] });
    released = await releases('postgres');
  });

  it('refuses what the settings do not say, and says what to set', async () => {
    const { code, stderr } = await run('mode single');
    expect(stderr).toContain(`Set PG_CRON_DATABASE=${work}`);
    expect(code).toBe(2);
  });

  it('leads whoever takes PG_CRON_* out of .env, as the guide has it, to what is to be set', async () => {
    const without = { PG_CRON_DATABASE: undefined, PG_CRON_USER: undefined };
    const setup = await run('setup --enable-after-setup', without);
    expect(setup.stdout + setup.stderr).toContain(`PG_CRON_USER=${site.cronRole.name}`);
    expect(setup.code).toBe(1);
    const mode = await run('mode single', without);
    expect(mode.stderr).toContain(`Set PG_CRON_DATABASE=${work}`);
    expect(mode.code).toBe(2);
    const user = await run('mode single --yes', { ...without, PG_CRON_DATABASE: work });
    expect(user.stderr).toContain(`PG_CRON_USER=${site.cronRole.name}`);
    expect(user.code).toBe(1);
    expect((await jobsIn('postgres')).ours).toBe(5);
  });

  it('is named by every command that would work elsewhere', async () => {
    const before = await everyRow();
    wanted = { PG_CRON_DATABASE: work, PCACHE_CRON_TRANSPORT: 'deploy' };
    await type((await run('mode single --yes')).stderr.replaceAll('"cron"', 'cron'));
    for (const line of [
      'up',
      'up --stream work',
      'sync',
      'down --all --yes',
      'doctor',
      'status',
      'verify',
      'verify --fix --yes',
      'plan',
      'plan --down',
    ]) {
      const { code, stdout, stderr } = await run(line);
      expect(stdout + stderr, line).toContain('pcache-migrate mode single');
      expect(stdout + stderr, line).toContain('"postgres"');
      expect(code, line).not.toBe(0);
    }
    expect(await everyRow()).toEqual(before);
    expect((await jobsIn('postgres')).ours).toBe(5);
  });

  it('lists the jobs of others before anything is changed, and asks', async () => {
    const { code, stderr } = await run('mode single');
    expect(code).toBe(2);
    expect(stderr).toContain('pass --yes');
    expect(stderr).toContain(`pg_cron shows role "${site.cronRole.name}" none but its own`);
    const seen = await run('mode single', ADMIN());
    expect(seen.stderr).toMatch(/vacuum it's +postgres +template1 +17 4 \* \* \* +yes +VACUUM/);
    expect((await jobsIn('postgres')).ours).toBe(5);
  });

  it('goes on after a failure at any place, and goes back with the old settings', async () => {
    const rows = await everyRow();
    const failing = (settings: Settings, at: 'rollback' | 'migration') =>
      changeMode(settings, {
        mode: settings.mode,
        confirm: async () => true,
        drainSeconds: 20,
        waitSeconds: 20,
        onWait: () => {},
        log: () => {},
        onProgress: () => {
          throw new Error(`interrupted at a ${at}`);
        },
      });
    const there = site.settings(wanted);
    const error = await failing(there, 'rollback').catch((cause) => cause);
    expect(error).toMatchObject({
      name: 'ModeUnfinishedError',
      message: expect.stringContaining('Processing is held'),
      remedy: expect.stringContaining('pcache-migrate mode single again'),
    });
    expect((await jobsIn('postgres')).ours).toBe(5);
    expect(await run('mode single --yes')).toMatchObject({ code: 3 });
    expect((await jobsIn('postgres')).ours).toBe(0);

    const back = site.settings({ PCACHE_CRON_TRANSPORT: 'deploy' });
    await expect(failing(back, 'migration')).rejects.toThrow('interrupted at a migration');
    const { code, stdout } = await run('mode cross', { PG_CRON_DATABASE: 'postgres' });
    expect(stdout).toContain('Finished: cross mode, transport deploy');
    expect(code).toBe(0);
    expect(await jobsIn('postgres')).toEqual({ ours: 5, others: ["vacuum it's"] });
    expect(await everyRow()).toEqual(rows);
  });

  it('stops before the restart, with what to type, as often as it is given', async () => {
    const rows = await everyRow();
    const first = await run('mode single --yes', { PG_CRON_PASSWORD: site.cronRole.password });
    expect(first.stdout).toContain(
      'Done: the cron stream and its jobs are gone from database "postgres".',
    );
    expect(first.stdout).toContain('Nothing more is begun:');
    expect(first.stdout).toContain('Do not type DROP EXTENSION pg_cron in database "postgres"');
    expect(first.code).toBe(3);
    expect(await jobsIn('postgres')).toEqual({ ours: 0, others: ["vacuum it's"] });
    expect(await ourSchemasIn('postgres')).toEqual([]);
    expect(await everyRow()).toEqual(rows);

    const again = await run('mode single');
    expect(typed(again.stdout)).toEqual(typed(first.stdout));
    expect(again.stdout).not.toContain('Done:');
    expect(again.code).toBe(3);
    const status = await run('status');
    expect(status.stdout).toContain('Held by mode');
    expect(status.stdout).toContain('A change of mode is under way');
    expect(status.code).not.toBe(0);

    const lines = await run('mode single', ADMIN());
    expect(typed(lines.stdout)).toEqual([
      { database: work, line: `ALTER SYSTEM SET cron.database_name = '${work}';` },
      { database: '', line: 'restart' },
    ]);
    // There is no pg_cron yet that could take it.
    expect(lines.stdout).toContain('it prints the lines that make the jobs of others again');
  });

  it('is named half-way by every command, with the settings of both places', async () => {
    const rows = await everyRow();
    for (const changes of [{ PG_CRON_DATABASE: 'postgres' }, {}]) {
      for (const line of [
        'up',
        'up --stream work',
        'sync',
        'adopt --yes',
        'down --all --yes',
        'verify',
        'verify --fix --yes',
        'status',
        'doctor',
        'plan',
        'plan --down',
        'resume',
      ]) {
        const { code, stdout, stderr } = await run(line, changes);
        const said = `${line} ${JSON.stringify(changes)}`;
        expect(stdout + stderr, said).toContain(
          `A change of mode is under way: the cron stream and this deployment's jobs leave database "postgres" for database "${work}" (single mode)`,
        );
        if (line === 'plan') continue; // It refers to doctor.
        expect(stdout + stderr, said).toContain(
          `To go on: set PG_CRON_DATABASE=${work}, then pcache-migrate mode single.`,
        );
        expect(stdout + stderr, said).toContain(
          'To go back: set PG_CRON_DATABASE=postgres, then pcache-migrate mode cross.',
        );
        if (line === 'resume') expect(code, said).toBe(0);
        else expect(code, said).not.toBe(0);
      }
    }
    expect(await everyRow()).toEqual(rows);
    expect(await jobsIn('postgres')).toEqual({ ours: 0, others: ["vacuum it's"] });
  });

  it('is not held up by a schema of our name that somebody plants where the jobs were', async () => {
    const { cronSchema } = site.settings(wanted);
    await asAdmin(
      'postgres',
      `CREATE ROLE "${stranger}"`,
      `CREATE SCHEMA "${cronSchema}" AUTHORIZATION "${stranger}"`,
      `CREATE TABLE "${cronSchema}".migrations AS SELECT 1 AS id, '0001_ledger' AS name, now() AS run_on`,
      `ALTER TABLE "${cronSchema}".migrations OWNER TO "${stranger}"`,
    );
    const { code, stdout } = await run('mode single');
    expect(code).toBe(3);
    // Without the jobs of others: their lines must come again.
    await type(stdout, false);
  });

  it('goes on after the restart, up to the end', async () => {
    const rows = await everyRow();
    const { code, stdout, stderr } = await run('mode single');
    expect(stderr).not.toContain('Error');
    expect(stdout).toContain('Done: processing goes on.');
    expect(stdout).toContain('Finished: single mode');
    expect(stdout).toContain('DROP EXTENSION pg_cron;');
    const { cronSchema } = site.settings(wanted);
    expect(stdout).toContain(`Left in database "postgres": the schema "${cronSchema}", since it`);
    expect(code).toBe(0);
    expect(await ourSchemasIn('postgres')).toEqual([cronSchema]);
    await asAdmin('postgres', `DROP SCHEMA "${cronSchema}" CASCADE`, `DROP ROLE "${stranger}"`);
    expect(await everyRow()).toEqual(rows);
    expect(await jobsIn(work)).toEqual({ ours: 5, others: [] });
    expect(await jobsIn('postgres')).toEqual({ ours: 0, others: ["vacuum it's"] });
    expect(await ourRunsIn('postgres')).toBe(0);
    for (const line of ['status', 'verify', 'sync', 'mode single']) {
      expect(await run(line), line).toMatchObject({ code: 0 });
    }
    expect((await run('mode single')).stdout).toContain('Nothing to do: single mode');
    await processes('in single mode', work);
  });

  it('says again, as often as it is given, what makes the jobs of others run again', async () => {
    const unseen = await run('mode single');
    expect(unseen.stdout).toContain(
      'Whether jobs of others in database "postgres" no longer run could not be seen',
    );
    const seen = await run('mode single', ADMIN());
    expect(seen.stdout).toContain('Jobs of others in database "postgres" that no longer run');
    expect(typed(seen.stdout)).toEqual([
      {
        database: work,
        line: "SELECT cron.schedule_in_database('vacuum it''s', '17 4 * * *', 'VACUUM', 'template1', 'postgres', true);",
      },
    ]);
    await type(seen.stdout);
    expect(await jobsIn(work)).toEqual({ ours: 5, others: ["vacuum it's"] });
    expect((await run('mode single', ADMIN())).stdout).not.toContain('no longer run');
  });

  it('is no release, so that down undoes the last one in both databases', async () => {
    expect(await releases(work)).toEqual(released);
    const { stdout } = await run('plan --down --json');
    expect(
      JSON.parse(stdout).streams.map(
        ({ stream, migrations }: { stream: string; migrations: unknown[] }) => [
          stream,
          migrations.length > 0,
        ],
      ),
    ).toEqual([
      ['cron', true],
      ['work', true],
    ]);
  });
});

describe('back to cross mode, with an administrator in the settings', () => {
  it('types nothing but what needs a restart, and leaves an extension that others need', async () => {
    wanted = { PCACHE_CRON_TRANSPORT: 'link', ...ADMIN() };
    const rows = await everyRow();
    const stopped = await run('mode cross --yes');
    expect(stopped.code).toBe(3);
    expect(stopped.stdout).toContain('that takes 1 job of others along');
    expect(stopped.stdout).toContain('lets start');
    // The other's job is still there, so nothing has to be made again.
    expect(typed(stopped.stdout).map(({ line }) => line)).toEqual([
      "ALTER SYSTEM SET cron.database_name = 'postgres';",
      'restart',
    ]);
    await type(stopped.stdout);
    const { code, stdout } = await run('mode cross');
    expect(stdout).toContain(
      'Finished: cross mode, transport link, pg_cron in database "postgres"',
    );
    expect(stdout).toContain('1 job of others would be dropped with it');
    expect(code).toBe(0);
    expect(await everyRow()).toEqual(rows);
    expect(await jobsIn('postgres')).toEqual({ ours: 5, others: ["vacuum it's"] });
    expect(await jobsIn(work)).toEqual({ ours: 0, others: ["vacuum it's"] });
    expect(await ourSchemasIn(work)).toEqual([]);
    await processes('in cross mode again', 'postgres');
  });

  it('drops no job that somebody makes while the extension is about to be dropped', async () => {
    await asAdmin(
      work,
      "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = 'postgres'",
      "DELETE FROM cron.job_run_details WHERE username = 'postgres'",
    );
    const settings = site.settings(wanted);
    const old = settingsAt(settings, { database: work, transport: 'direct' });
    const migrator = await connectAs(settings.work);
    const other = await adminClient(work, cluster);
    try {
      await other.query('BEGIN');
      await other.query("SELECT cron.schedule('made late', '17 4 * * *', 'SELECT 1')");
      const tidied = tidyOldPlace(migrator, old);
      await waitFor(
        'whoever drops the extension, who waits for a lock',
        async () =>
          (await asAdmin(work, "SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted"))
            .length,
        { deadlineMs: 10_000 },
      );
      await other.query('COMMIT');
      expect(await tidied).toMatchObject({
        isExtensionDropped: false,
        left: [
          { reason: '1 job of others would be dropped with it: "made late" of role "postgres"' },
        ],
      });
      expect((await jobsIn(work)).others).toEqual(['made late']);
      await other.query("SELECT cron.unschedule('made late')");
    } finally {
      await other.end();
    }
    expect(await tidyOldPlace(migrator, old)).toEqual({ isExtensionDropped: true, left: [] });
  });

  it('changes the transport where the jobs are', async () => {
    for (const transport of ['deploy', 'link']) {
      wanted = { ...wanted, PCACHE_CRON_TRANSPORT: transport };
      const rows = await everyRow();
      const { code, stdout } = await run('mode cross');
      expect(await everyRow()).toEqual(rows);
      expect(stdout).toContain(`Finished: cross mode, transport ${transport}`);
      expect(code).toBe(0);
      const [{ links }] = await asAdmin(
        work,
        'SELECT count(*)::int AS links FROM partitioncache.cron_link',
      );
      expect(links).toBe(transport === 'link' ? 1 : 0);
      await app.query(
        `UPDATE partitioncache_queue_processor_config SET max_parallel_jobs = ${transport === 'link' ? 2 : 3}`,
      );
      expect((await jobsIn('postgres')).ours).toBe(5);
    }
  });
});

describe('to a database of its own', () => {
  it('takes the extension along where nobody else needs it, also after a restart that came first', async () => {
    await asAdmin(
      'postgres',
      "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = 'postgres'",
      "DELETE FROM cron.job_run_details WHERE username = 'postgres'",
    );
    wanted = { ...wanted, PG_CRON_DATABASE: 'cron_management' };
    const missing = await run('mode cross --yes');
    expect(missing.stderr).toContain('cron_management');
    expect(missing.code).toBe(1);
    expect((await jobsIn('postgres')).ours).toBe(5);
    await asAdmin('postgres', 'CREATE DATABASE cron_management');
    const rows = await everyRow();
    await asAdmin('postgres', "ALTER SYSTEM SET cron.database_name = 'cron_management'");
    await restart();
    for (const [line, expected] of [
      ['status', 3],
      ['sync', 0],
    ] as const) {
      const found = await run(line, { PG_CRON_DATABASE: 'postgres' });
      expect(found.stdout, line).toContain(
        'pg_cron of this server serves database "cron_management", so no job in database "postgres" is started.',
      );
      expect(found.code, line).toBe(expected);
    }
    const { code, stdout } = await run('mode cross --yes');
    expect(stdout).toContain('Done: the extension pg_cron is gone from database "postgres".');
    expect(stdout).toContain('ran as the administrator: CREATE EXTENSION pg_cron;');
    expect(code).toBe(0);
    expect(await everyRow()).toEqual(rows);
    expect(await jobsIn('postgres')).toEqual({ ours: 0, others: [] });
    expect(await ourSchemasIn('postgres')).toEqual([]);
    expect((await jobsIn('cron_management')).ours).toBe(5);
    expect(await releases('cron_management')).toEqual(released);
    await processes('in a database of its own', 'cron_management');
  });

  it('says so without a raw error when the extension is dropped under the jobs', async () => {
    await asAdmin('cron_management', 'DROP EXTENSION pg_cron');
    for (const line of ['status', 'verify', 'sync', 'doctor']) {
      const { code, stdout, stderr } = await run(line);
      expect(stdout + stderr, line).toContain('missing in database "cron_management"');
      expect(stdout + stderr, line).not.toMatch(/SQLSTATE|SQL function/);
      expect(code, line).not.toBe(0);
    }
    expect(await run('down --stream cron --all')).toMatchObject({ code: 0 });
    expect(await ourSchemasIn('cron_management')).toEqual([]);
    const { stdout } = await run('up');
    expect(stdout).toContain('CREATE EXTENSION pg_cron;');
    expect((await jobsIn('cron_management')).ours).toBe(5);
  });

  it('goes on from a database that cannot be reached, and says what is left there', async () => {
    wanted = { ...wanted, PG_CRON_DATABASE: 'postgres' };
    await asAdmin(
      'postgres',
      "ALTER SYSTEM SET cron.database_name = 'postgres'",
      'ALTER DATABASE cron_management ALLOW_CONNECTIONS false',
    );
    await restart();
    const { code, stdout } = await run('mode cross --yes');
    expect(stdout).toMatch(
      /Left in database "cron_management": the schema "partitioncache_\w+" and this deployment's jobs, since it cannot be reached/,
    );
    expect(stdout).toContain('Finished: cross mode');
    expect(code).toBe(0);
    expect((await jobsIn('postgres')).ours).toBe(5);
  });

  it('touches nothing where what is recorded as ours was made by another, or in another shape', async () => {
    const { cronSchema } = site.settings(wanted);
    const elsewhere = 'mode_elsewhere';
    await asAdmin('postgres', `CREATE DATABASE ${elsewhere}`, `CREATE ROLE "${stranger}"`);
    await asAdmin(
      elsewhere,
      `CREATE SCHEMA "${cronSchema}" AUTHORIZATION "${site.cronRole.name}"`,
      `CREATE TABLE "${cronSchema}".migrations (number integer)`,
      `ALTER TABLE "${cronSchema}".migrations OWNER TO "${site.cronRole.name}"`,
    );
    await asAdmin(work, `UPDATE partitioncache.deployment SET cron_database = '${elsewhere}'`);
    const shape = await run('mode cross --yes');
    expect(shape.stderr).toContain(`recorded to be in database "${elsewhere}"`);
    expect(shape.stderr).toContain('The table is not a ledger of pcache-migrate.');
    expect(shape.stderr).toContain(`DROP SCHEMA "${cronSchema}" CASCADE;`);
    expect(shape.code).toBe(1);
    await asAdmin(elsewhere, `ALTER SCHEMA "${cronSchema}" OWNER TO "${stranger}"`);
    const owner = await run('mode cross --yes');
    expect(owner.stderr).toContain(`role "${stranger}"`);
    expect(owner.stderr).toContain(`in database "${elsewhere}"`);
    expect(owner.code).toBe(1);
    expect(await ourSchemasIn(elsewhere)).toEqual([cronSchema]);
    expect((await jobsIn('postgres')).ours).toBe(5);
    expect((await run('status')).stdout).not.toContain('Held by mode');
    await asAdmin('postgres', `DROP DATABASE ${elsewhere} WITH (FORCE)`, `DROP ROLE "${stranger}"`);
    await asAdmin(work, "UPDATE partitioncache.deployment SET cron_database = 'postgres'");
  });

  it('goes on from a database that is gone', async () => {
    await asAdmin('postgres', 'DROP DATABASE cron_management WITH (FORCE)');
    await asAdmin(work, "UPDATE partitioncache.deployment SET cron_database = 'cron_management'");
    const { code, stdout } = await run('mode cross --yes');
    expect(stdout).toContain('in database "cron_management", which is gone');
    expect(stdout).not.toContain('Left in');
    expect(stdout).toContain('Finished: cross mode');
    expect(code).toBe(0);
    expect((await jobsIn('postgres')).ours).toBe(5);
  });
});
