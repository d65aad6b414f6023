import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { addMigration, type BuiltCli, buildCli, setVersion } from '../harness/built-cli.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  setUpWithoutJobs,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { startShell } from '../harness/shell.js';
import { waitFor } from '../harness/wait-for.js';

// What an older build of this package does with databases that a newer one has migrated.
let older: BuiltCli;
let newer: BuiltCli;
let site: TestSite;

beforeAll(async () => {
  [older, newer] = [await buildCli(), await buildCli()];
  await setVersion(newer, '0.9.0');
});

beforeEach(async () => {
  site = await createSite();
});

afterAll(async () => {
  await older?.remove();
  await newer?.remove();
});

function run(cli: BuiltCli, command: string) {
  return startShell(`${process.execPath} ${cli.main} ${command}`, {
    cwd: cli.folder,
    env: site.environment(),
  }).ended;
}

async function dumps() {
  return [
    await dumpSchema(site.cluster, site.database),
    (await run(older, 'status --json')).stdout.includes('"upToDate": true'),
  ];
}

const table = (name: string) => ({
  up: `CREATE TABLE {{schema}}.${name} ();`,
  down: `DROP TABLE {{schema}}.${name};`,
});

describe('a database that a newer package has migrated', () => {
  let before: unknown;
  let names: string[];

  beforeEach(async () => {
    names = [
      await addMigration(newer, 'further', table('further')),
      await addMigration(
        newer,
        'further',
        {
          up: 'CREATE TABLE {{cron_schema}}.further ();',
          down: 'DROP TABLE {{cron_schema}}.further;',
        },
        'cron',
      ),
    ];
    await setUp(site.settings());
    before = await dumps();
    expect((await run(newer, 'up')).code).toBe(0);
  });

  it('is shown, and said to be newer', async () => {
    const { code, stdout } = await run(older, 'status');
    expect(stdout).toContain('Up to date.');
    expect(stdout).toContain(
      'migrated by pcache-migrate 0.9.0, which is newer than this one (0.1.0)',
    );
    expect(code).toBe(0);
    const { stdout: json } = await run(older, 'status --json');
    expect(JSON.parse(json)).toMatchObject({
      streams: [{ newer: [names[0]], newerPackage: '0.9.0' }, { newer: [names[1]] }],
      processors: [{ enabled: true }],
    });
  });

  it('is worked on', async () => {
    const commands = ['processor disable', 'processor enable', 'sync', 'doctor', 'verify', 'plan'];
    for (const command of commands) {
      expect(await run(older, command), command).toMatchObject({ code: 0 });
    }
    const down = await run(older, 'plan --down --verbose');
    expect(down.stdout).toContain(`DROP TABLE "partitioncache".further`);
    expect(down.code).toBe(3);
    const { code, stdout } = await run(older, 'up');
    expect(stdout).toContain('migrated by pcache-migrate 0.9.0');
    expect(stdout).toContain('Nothing to do for the work stream');
    expect(code).toBe(0);
  });

  it('is rolled back by what was recorded, once that was agreed to', async () => {
    const refused = await run(older, 'down');
    expect(refused.stderr).toContain(
      `work stream: ${names[0]} was applied by pcache-migrate 0.9.0; this is 0.1.0, which does not have it.`,
    );
    expect(refused.stderr.match(/0\.9\.0/g)).toHaveLength(2); // once a stream
    expect(refused.stderr).toContain('pass --yes');
    expect(refused.code).toBe(2);

    const { code, stdout } = await run(older, 'down --yes');
    expect(stdout).toContain('Undone: release 2.');
    expect(code).toBe(0);
    expect(await dumps()).toEqual(before);
  });
});

it('an edited file is found by every command before anything is written, but rolled back by the record', async () => {
  const { up, down } = table('edited');
  const name = await addMigration(newer, 'edited', { up, down });
  await setUp(site.settings());
  expect((await run(newer, 'up')).code).toBe(0);
  await addMigration(newer, 'edited', { up: `${up}\n-- changed`, down: 'SELECT 1 / 0;' });
  const before = await dumpSchema(site.cluster, site.database);
  for (const command of [
    'status',
    'up',
    'setup',
    'sync',
    'processor set --parallel 2',
    'plan',
    'doctor',
    'verify --fix --yes',
    'down',
  ]) {
    const { code, stdout, stderr } = await run(newer, command);
    expect(stdout + stderr, command).toMatch(
      new RegExp(
        `${name}.up.sql is not the file that was applied \\(SHA-256 applied: [0-9a-f]{64}, in this package: [0-9a-f]{64}\\)`,
      ),
    );
    expect(code, command).toBe(command === 'down' ? 2 : 1);
  }
  expect((await run(newer, 'verify')).code).toBe(3);
  expect(await dumpSchema(site.cluster, site.database)).toBe(before);
  expect(await run(newer, 'down --yes')).toMatchObject({ code: 0 });
});

describe('what was changed by hand', () => {
  const hotfix = (name: string) => `
    CREATE OR REPLACE FUNCTION partitioncache.${name}() RETURNS integer
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT 4711'`;

  beforeEach(async () => {
    await addMigration(newer, 'replacing', {
      up: 'CREATE OR REPLACE FUNCTION {{schema}}.running_class() RETURNS integer LANGUAGE sql AS $$SELECT 1$$;',
      down: 'CREATE OR REPLACE FUNCTION {{schema}}.running_class() RETURNS integer LANGUAGE sql AS $$SELECT 2$$;',
    });
    await setUp(site.settings());
  });

  it('is not replaced by a release, unless that is asked for', async () => {
    const work = await connectAs(site.settings().work);
    await work.query(hotfix('running_class'));
    expect((await run(older, 'status')).stdout).toContain(
      `The work stream in database "${site.database}" is not as it was released. See what differs: pcache-migrate verify`,
    );
    const before = await dumps();
    const { code, stderr } = await run(newer, 'up');
    expect(stderr).toContain('would be lost, since pending migrations replace it');
    expect(stderr).toContain(
      `function partitioncache.running_class() in database "${site.database}"`,
    );
    expect(stderr).toMatch(/\+.*SELECT 4711/);
    expect(stderr).toContain('up --overwrite-drift');
    expect(code).toBe(1);
    expect(await dumps()).toEqual(before);
    expect((await run(newer, 'up --overwrite-drift')).code).toBe(0);
    expect((await run(newer, 'verify')).code).toBe(0);
  });

  it('elsewhere is no obstacle, and still found after the release', async () => {
    const work = await connectAs(site.settings().work);
    await work.query("COMMENT ON FUNCTION partitioncache.is_deaf IS 'by hand'");
    expect((await run(newer, 'up')).code).toBe(0);
    const { code, stdout } = await run(newer, 'verify');
    expect(stdout).toContain('is_deaf');
    expect(stdout).not.toContain('running_class');
    expect(code).toBe(3);
  });
});

describe('a record that was changed by hand', () => {
  it('stops a release, unless that may overwrite, and never passes for one that a release wrote', async () => {
    await addMigration(newer, 'further', table('further'));
    await setUp(site.settings());
    const work = await connectAs(site.settings().work);
    await work.query(
      "UPDATE partitioncache.recorded_object SET definition = 'x' WHERE kind = 'view'",
    );
    const before = await dumps();
    const { code, stderr } = await run(newer, 'up');
    expect(stderr).toContain('is unknown; no migration was run: The record in schema');
    expect(stderr).toContain('up --overwrite-drift');
    expect(code).toBe(1);
    expect(await dumps()).toEqual(before);

    expect((await run(newer, 'up --overwrite-drift')).code).toBe(0);
    const { code: verified, stdout } = await run(newer, 'verify');
    expect(stdout).toContain('is not as the last release wrote it');
    expect(verified).toBe(1);
    expect((await run(newer, 'down --yes')).code).toBe(0);
    expect((await run(newer, 'verify')).code).toBe(1);
  });
});

describe('an index that is built without a transaction', () => {
  it('is recorded as any other object, and gone after the rollback', async () => {
    await addMigration(newer, 'index', {
      up: '--! no transaction\nCREATE INDEX CONCURRENTLY queue_extra ON {{fragment_queue}} (partition_key);',
      down: '--! no transaction\nDROP INDEX CONCURRENTLY {{client_schema}}.queue_extra;',
    });
    await setUp(site.settings());
    const before = await dumps();
    expect((await run(newer, 'up')).code).toBe(0);
    expect(await run(newer, 'verify')).toMatchObject({ code: 0 });
    expect((await run(newer, 'down --yes')).code).toBe(0);
    expect(await run(newer, 'verify')).toMatchObject({ code: 0 });
    expect(await dumps()).toEqual(before);
  });
});

describe('a migration that breaks older packages', () => {
  beforeEach(async () => {
    const { up, down } = table('broken');
    await addMigration(newer, 'breaking', { up: `--! breaks older packages\n${up}`, down });
    await setUp(site.settings());
    expect((await run(newer, 'up')).code).toBe(0);
  });

  it('shuts them out', async () => {
    const before = await dumps();
    for (const command of [
      'up',
      'sync',
      'processor set --parallel 2',
      'processor enable',
      'setup',
    ]) {
      const { code, stderr } = await run(older, command);
      expect(stderr, command).toContain('breaking says that older versions must not work on it');
      expect(stderr, command).toContain('Install pcache-migrate 0.9.0 or later.');
      expect(code, command).toBe(1);
    }
    expect(await dumps()).toEqual(before);
  });

  it('is shown, paused and rolled back all the same', async () => {
    expect((await run(older, 'pause --reason incident')).code).toBe(0);
    expect((await run(older, 'status')).stdout).toContain(': incident\n');
    expect((await run(older, 'resume')).code).toBe(0);
    expect((await run(older, 'status')).stdout).toContain('0.9.0, which is newer');
    expect((await run(older, 'down --yes')).code).toBe(0);
    expect((await run(older, 'processor set --parallel 2')).code).toBe(0);
  });
});

describe('a release on a live system', () => {
  // It fails if a fragment is at work.
  const up = `CREATE TABLE {{schema}}.calm ();
    DO $$ BEGIN
      ASSERT NOT EXISTS (SELECT FROM {{schema}}.working_runs()), 'a fragment is at work';
    END $$;`;
  const down = 'DROP TABLE {{schema}}.calm;';

  /** In a run that the test starts: pg_cron may take a minute. */
  async function fragmentAtWork(seconds: number) {
    const settings = site.settings();
    await setUpWithoutJobs(settings);
    const work = await connectAs(settings.work);
    await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = true`);
    const app = await connectAs(settings.client);
    const query = `SELECT 1 FROM pg_sleep(${seconds})`;
    await enqueue(app, settings, [{ hash: 'slow', key: 'zipcode', datatype: 'integer', query }]);
    const slot = await connectAs({ ...settings.cron, database: site.database });
    // It ends with its fragment, or with the database.
    slot
      .query('CALL partitioncache.run_processor($1, 1)', [defaultJobName(settings)])
      .catch(() => {});
    await waitFor(
      'the fragment is at work',
      async () => {
        const { rowCount } = await work.query('SELECT FROM partitioncache.working_runs()');
        return rowCount === 1;
      },
      { deadlineMs: 30_000 },
    );
    return work;
  }

  it('waits until nothing is at work, and leaves the processor as it was', async () => {
    await addMigration(newer, 'calm', { up, down });
    const work = await fragmentAtWork(5);
    expect(await run(newer, 'up')).toMatchObject({ code: 0 });
    const { processorConfig, queries } = tablesOf(site.settings());
    const { rows } = await work.query(`SELECT enabled FROM ${processorConfig}`);
    expect(rows).toEqual([{ enabled: true }]);
    const { rows: ended } = await work.query(`SELECT status FROM ${queries}`);
    expect(ended).toEqual([{ status: 'ok' }]);
    expect((await run(newer, 'status')).stdout).toContain('Up to date.');
  }, 60_000);

  it('makes no run of pg_cron fail, up and down', async () => {
    // The jobs of all other tests keep the shared pg_cron from starting these in time.
    const cluster = await startOwnCluster();
    const admin = await adminClient('postgres', cluster);
    await admin.query('CREATE EXTENSION pg_cron');
    await admin.end();
    site = await createSite({ cluster });
    // A run that has begun before would go on to call what is no longer there.
    const runProcessor = await readFile('routines/work/run_processor.sql', 'utf8');
    const arguments_ = '(text, integer, integer, timestamptz, {{schema}}.run_step)';
    await addMigration(newer, 'renamed', {
      up: `ALTER FUNCTION {{schema}}.next_step${arguments_} RENAME TO next_move;
        ${runProcessor.replaceAll('next_step(', 'next_move(')}`,
      down: `ALTER FUNCTION {{schema}}.next_move${arguments_} RENAME TO next_step;
        ${runProcessor}`,
    });
    const settings = site.settings();
    await setUp(settings, { frequencySeconds: 1, parallel: 3 });
    const app = await connectAs(settings.client);
    const cron = await connectAs(settings.cron);
    const runs = async (status: string) => {
      const { rows } = await cron.query(
        'SELECT return_message FROM cron.job_run_details WHERE database = $1 AND status = $2',
        [site.database, status],
      );
      return rows.map(({ return_message }) => return_message);
    };
    let queued = 0;
    const feed = async () => {
      const fragments = Array.from({ length: 50 }, () => {
        queued += 1;
        const query = `SELECT ${queued} FROM pg_sleep(0.01)`;
        return { hash: `hash ${queued}`, key: 'zipcode', datatype: 'integer', query };
      });
      await enqueue(app, settings, fragments);
    };
    await feed();
    await waitFor('a run', async () => (await runs('running')).length > 0, { deadlineMs: 90_000 });
    for (const command of ['up', 'down --yes', 'up']) {
      await feed();
      const { code, stderr } = await run(newer, command);
      expect([command, code, stderr]).toEqual([command, 0, stderr]);
    }
    const { queries } = tablesOf(settings);
    await waitFor(
      'all to be cached',
      async () => {
        const { rows } = await app.query(`SELECT count(*)::int AS ok FROM ${queries}`);
        return rows[0].ok === queued;
      },
      { deadlineMs: 90_000 },
    );
    expect(await runs('failed')).toEqual([]);
  }, 240_000);

  it('cancels what is still at work after that', async () => {
    await addMigration(newer, 'calm', { up, down });
    const work = await fragmentAtWork(600);
    expect(await run(newer, 'up --drain-timeout 1')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('now cancelled'),
    });
    const { rows } = await work.query(
      `SELECT hash FROM ${tablesOf(site.settings()).fragmentQueue}`,
    );
    expect(rows).toEqual([{ hash: 'slow' }]);
  }, 60_000);
});
