import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import type { Settings } from '../../src/settings/settings.js';
import { startOwnCluster } from '../harness/cluster.js';
import { connectAs, createSite, enqueue, type TestSite, tablesOf } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { migrationNames } from '../harness/package-migrations.js';
import { waitFor } from '../harness/wait-for.js';
import { cli, type Ran } from '../unit/cli/fake-world.js';

// One deployment from beginning to end: each test continues where the previous one stopped.
let site: TestSite;
let settings: Settings;
let work: pg.Client;
let cron: pg.Client;
let app: pg.Client;
let processor: string;
let printed = '';
let passwords: string[];

beforeAll(async () => {
  // Beside sites of other files, the room would depend on what those have scheduled.
  const cluster = await startOwnCluster();
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
  site = await createSite({ cluster, readsSettings: true });
  settings = site.settings();
  work = await connectAs(settings.work);
  cron = await connectAs(settings.cron);
  app = await connectAs(settings.client);
  processor = defaultJobName(settings);
  passwords = [site.migrator, site.cronRole, site.app].map(({ password }) => password);
});

type Options = Parameters<typeof cli>[1] & { changes?: NodeJS.ProcessEnv };

async function run(line: string, { changes, ...options }: Options = {}): Promise<Ran> {
  const ran = await cli(line.split(' '), {
    env: site.environment(changes),
    now: () => new Date(),
    ...options,
  });
  printed += ran.stdout + ran.stderr;
  return ran;
}

/** The exit code, and the document, which must be the only thing on stdout. */
async function json(line: string, options?: Options) {
  const { code, stdout } = await run(`${line} --json`, options);
  const document = JSON.parse(stdout);
  expect(document.command).toBe(line.replace(/ -.*| \d.*/, '').replace(` ${processor}`, ''));
  expect(document).toMatchObject({ exitCode: code, ok: code === 0 });
  return { code, document };
}

const span = (names: readonly string[]) => `${names[0]} to ${names.at(-1)}`;

/** What is said of the migrations on stderr, were each said. */
function progressOf(stream: string, names: readonly string[]): string[] {
  const total = String(names.length);
  return names.map(
    (name, index) => `${stream}  ${String(index + 1).padStart(total.length)}/${total}  ${name}`,
  );
}

/** The rows of the table below a heading, by column. */
function sectionOf(text: string, heading: string): string[][] {
  const section = text.split('\n\n').find((paragraph) => paragraph.startsWith(`${heading}\n`));
  const rows = section?.split('\n').slice(1) ?? [];
  return rows.map((row) => row.trim().split(/ {2,}/));
}

const jobOfSlot = (slot: number) => `partitioncache_${site.database}_mycache_${slot}`;

const tableNames = async () => {
  const { rows } = await work.query(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  return rows.map(({ relname }) => relname).filter((name) => name !== 'pois');
};

describe('before anything is deployed', () => {
  it('status has everything pending and exit code 3', async () => {
    const { code, stdout } = await run('status');
    expect(stdout).toContain(
      `Cross mode, transport deploy: pg_cron in database "postgres" works on database "${site.database}".`,
    );
    const names = { work: await migrationNames('work'), cron: await migrationNames('cron') };
    expect(sectionOf(stdout, 'Pending migrations')).toEqual([
      ['stream', 'pending', 'migrations'],
      ['work', String(names.work.length), span(names.work)],
      ['cron', String(names.cron.length), span(names.cron)],
    ]);
    const verbose = await run('status --verbose');
    expect(sectionOf(verbose.stdout, 'Pending migrations')).toEqual([
      ['stream', 'migration'],
      ...names.work.map((name) => ['work', name]),
      ...names.cron.map((name) => ['cron', name]),
    ]);
    expect(stdout).toMatch(/^\d+ migrations pending\. Apply with: pcache-migrate up$/m);
    expect(code).toBe(3);

    const { document } = await json('status');
    expect(document).toMatchObject({
      mode: 'cross',
      transport: 'deploy',
      streams: [
        { stream: 'work', database: site.database, schema: 'partitioncache', applied: [] },
        { stream: 'cron', database: 'postgres', applied: [] },
      ],
      processors: [],
      jobs: [],
      drift: [],
      upToDate: false,
    });
  });

  it.each([
    'sync',
    'processor status',
    'processor enable',
    'processor add',
    'processor remove',
    'processor run',
    'processor retry',
  ])('%s says what to deploy', async (line) => {
    const { code, document } = await json(line);
    expect(document.error).toMatchObject({ name: 'NotDeployedError' });
    expect(document.error.remedy).toContain('Deploy it with: pcache-migrate up');
    expect(code).toBe(1);
  });

  it('down has nothing to do', async () => {
    expect(await run('down --all')).toMatchObject({
      code: 0,
      stdout: 'Nothing to do: no migration is applied.\n',
    });
  });

  it('doctor finds all in order', async () => {
    const { code, stdout } = await run('doctor');
    expect(stdout).toMatch(/^In order \(\d+\)\n {2}ok {2}/m);
    expect(stdout).toContain('Ready: no check failed.');
    expect(code).toBe(0);
    const { document } = await json('doctor --stream cron');
    expect(document.checks).toContainEqual(
      expect.objectContaining({ status: 'ok', title: expect.any(String) }),
    );
  });
});

describe('bad input', () => {
  it.each([
    [
      'a wrong password',
      { DB_PASSWORD: 'not-the-password-1' },
      'password authentication failed',
      'Correct DB_PASSWORD',
    ],
    [
      'no such database',
      { DB_NAME: 'no_such_db' },
      'database "no_such_db" does not exist',
      'CREATE DATABASE "no_such_db";',
    ],
    [
      'no such host',
      { DB_HOST: 'no-such-host.invalid' },
      'the host name "no-such-host.invalid" can\'t be resolved',
      'Correct DB_HOST.',
    ],
    [
      'nothing there',
      { DB_PORT: '1' },
      'nothing accepts connections there',
      'Check DB_HOST and DB_PORT',
    ],
    [
      'a wrong password of the cron role',
      { PG_CRON_PASSWORD: 'not-the-password-2' },
      'password authentication failed',
      'Correct PG_CRON_PASSWORD',
    ],
  ])(
    '%s: status and up fail with the reason, and nothing is changed',
    async (_, changes, reason, remedy) => {
      const status = await run('status', { changes });
      // The work database is reported all the same when only pg_cron's cannot be queried.
      const said = 'PG_CRON_PASSWORD' in changes ? status.stdout : status.stderr;
      expect(said).toMatch(/(^Error|the cron side): can't connect to database /);
      expect(said).toContain(reason);
      expect(said).toContain(remedy);
      expect(status.code).toBe(1);

      const up = await run('up', { changes });
      expect(up.stdout).toBe('');
      expect(up.stderr).toContain(reason);
      expect(up.stderr).toContain(remedy);
      expect(up.code).toBe(1);
      expect(await tableNames()).toEqual([]);
    },
  );

  it('a role that may not schedule: doctor and up print what to grant, where and as whom', async () => {
    const changes = { PG_CRON_USER: site.app.name, PG_CRON_PASSWORD: site.app.password };
    const grant = `GRANT USAGE ON SCHEMA "cron" TO "${site.app.name}";`;
    const doctor = await run('doctor', { changes });
    expect(doctor.stdout).toMatch(/^Failed \(\d+\)$/m);
    expect(doctor.stdout).toContain(
      `Remedy, as an administrator (superuser), in database "postgres":\n        ${grant}`,
    );
    expect(doctor.stdout).toMatch(/^\d+ checks? failed\.$/m);
    expect(doctor.code).toBe(1);

    const up = await run('up', { changes });
    expect(up.stdout).toBe('');
    expect(up.stderr).toContain(grant);
    expect(up.code).toBe(1);

    const { document } = await json('setup', { changes });
    expect(document.error.name).toBe('PreflightError');
    const lines = document.error.checks.flatMap(
      ({ remedy }: { remedy: { lines: string[] } }) => remedy.lines,
    );
    expect(lines).toContain(grant);
    expect(await tableNames()).toEqual([]);
  });

  it('a migration that does not exist is wrong usage', async () => {
    const { code, stderr } = await run('up --stream work --to 9999_nix');
    const [first] = await migrationNames('work');
    expect(stderr).toContain(`There is no migration "9999_nix". Known are: ${first}`);
    expect(code).toBe(2);
    expect(await tableNames()).toEqual([]);
  });
});

describe('deploying', () => {
  it('up stops at a migration of one stream', async () => {
    const [first, second] = await migrationNames('work');
    const { code, document } = await json(`up --stream work --to ${second}`);
    expect(document).toEqual({
      command: 'up',
      ok: true,
      exitCode: 0,
      planHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      administrator: [],
      release: 1,
      newerPackage: null,
      streams: [
        {
          stream: 'work',
          database: site.database,
          schema: 'partitioncache',
          migrations: [first, second],
        },
      ],
      jobs: [],
      room: null,
      fragmentRole: null,
      takenBack: [],
      stillKept: [],
      holds: [],
      linkRenewed: false,
      changed: [],
    });
    expect(code).toBe(0);
  });

  it('setup does the rest, configures the processor and says how to go on', async () => {
    const { code, stdout, stderr } = await run('setup --parallel 3 --frequency 60');
    const names = {
      work: (await migrationNames('work')).slice(2),
      cron: await migrationNames('cron'),
    };
    const [appliedToWork, appliedToCron] = stdout.split('\n\n');
    expect(appliedToWork).toBe(
      `Applied ${names.work.length} migrations of the work stream to database "${site.database}" (schema "partitioncache"): ${span(names.work)}`,
    );
    expect(appliedToCron).toBe(
      `Applied ${names.cron.length} migrations of the cron stream to database "postgres" (schema "${settings.cronSchema}"): ${span(names.cron)}`,
    );
    expect(stdout).toContain(
      `Created processor "${processor}" in database "${site.database}": disabled, frequency 60 s, parallel 3.`,
    );
    expect(stdout).toMatch(
      /Next:\n {2}pcache-migrate processor enable +.*\n {2}pcache-migrate status +.*\n {2}pcache-migrate processor set .*\n$/,
    );
    expect(code).toBe(0);
    // No terminal: at most a line each second, and none but those of the migrations.
    const told = stderr.trimEnd().split('\n');
    for (const stream of ['work', 'cron'] as const) {
      const lines = told.filter((line) => line.startsWith(stream));
      expect(lines).toEqual(progressOf(stream, names[stream]).filter((l) => lines.includes(l)));
      expect(lines[0]).toBe(progressOf(stream, names[stream])[0]);
      expect(lines.at(-1)).toBe(progressOf(stream, names[stream]).at(-1));
    }
    expect(told.every((line) => /^(work|cron) {2}/.test(line))).toBe(true);
    expect(told.length).toBeLessThan(names.work.length);
  });

  it('up and setup have nothing to do the second time', async () => {
    const up = await run('up');
    expect(up.stdout).toBe(
      `Nothing to do for the work stream in database "${site.database}".\n\nNothing to do for the cron stream in database "postgres".\n`,
    );
    expect(up.code).toBe(0);
    const { document } = await json('setup');
    expect(document).toMatchObject({
      processor: { jobName: processor, created: false },
      processorJobs: [],
    });
  });

  it('status is up to date, exit code 0', async () => {
    const { code, stdout } = await run('status');
    expect(stdout).toMatch(/^Up to date\.$/m);
    expect(code).toBe(0);
  });
});

describe('the processors', () => {
  it('enable schedules the jobs, and has nothing to do the second time', async () => {
    const first = await run('processor enable');
    expect(first.stdout).toContain(
      `Set processor "${processor}" in database "${site.database}": enabled.`,
    );
    expect(first.stdout).toMatch(
      /^Changed \d+ jobs of pg_cron in database "postgres":\n {2}scheduled /m,
    );
    expect(first.code).toBe(0);
    const second = await run('processor enable');
    expect(second.stdout).toBe(
      `Nothing to do: processor "${processor}" in database "${site.database}" is as asked for: enabled.\n`,
    );
    expect(second.code).toBe(0);
    const { rows } = await cron.query(
      'SELECT jobname, database FROM cron.job WHERE username = $1 ORDER BY jobname',
      [site.cronRole.name],
    );
    expect(rows).toEqual([
      { jobname: `partitioncache_${site.database}_dispatch`, database: 'postgres' },
      { jobname: `partitioncache_${site.database}_history`, database: 'postgres' },
      { jobname: `partitioncache_${site.database}_maintenance`, database: site.database },
      ...[1, 2, 3].map((slot) => ({ jobname: jobOfSlot(slot), database: site.database })),
    ]);
  });

  it('set changes what is given', async () => {
    const { code, document } = await json(
      `processor set ${processor} --parallel 2 --result-limit 1000`,
    );
    expect(document).toMatchObject({
      processor,
      change: { parallel: 2, resultLimit: 1000 },
      changed: true,
      jobs: [{ action: 'unscheduled', jobName: jobOfSlot(3) }],
    });
    expect(code).toBe(0);
    const limitless = await json('processor set --result-limit none');
    expect(limitless.document).toMatchObject({
      change: { resultLimit: null },
      changed: true,
      jobs: [],
    });
    const again = await json('processor set --result-limit none');
    expect(again.document).toMatchObject({ changed: false });
  });

  it('add, status and remove of another one', async () => {
    expect(await run('processor add nightly --frequency 3600')).toMatchObject({
      code: 0,
      stdout: `Created processor "nightly" in database "${site.database}": disabled, frequency 3600 s.\n`,
    });
    const exists = await json('processor add');
    expect(exists.document.error.name).toBe('ProcessorExistsError');
    expect(exists.code).toBe(1);

    const all = await run('processor status');
    expect(all.stdout).toMatch(/^nightly +no +5 +3600 s +1800 s +none +none +0 +0 +0 /m);
    expect(all.stdout).toMatch(new RegExp(`^${processor} +yes +2 +60 s `, 'm'));
    const { document } = await json('processor status');
    expect(document.processors).toMatchObject([
      { jobName: 'nightly' },
      { jobName: processor, enabled: true },
    ]);
    const one = await run('processor status nightly');
    expect(one.stdout).not.toContain(processor);

    expect(await run('processor remove nightly')).toMatchObject({
      code: 0,
      stdout: `Removed processor "nightly" from database "${site.database}". What is queued and cached stayed.\n`,
    });
  });

  it.each(['status', 'set --parallel 2', 'enable', 'disable', 'remove', 'run'])(
    '%s of an unknown one names those there are',
    async (line) => {
      const [verb, ...options] = line.split(' ');
      const { code, stderr } = await run(['processor', verb, 'nobody', ...options].join(' '));
      expect(stderr).toContain(`There is no processor "nobody". There is: ${processor}.`);
      expect(code).toBe(1);
    },
  );
});

describe('drift', () => {
  it('shows in status with exit code 3, and sync repairs it', async () => {
    await cron.query('SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = $1', [
      jobOfSlot(1),
    ]);
    await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET max_parallel_jobs = 3`);
    const before = await run('status');
    for (const slot of [1, 3])
      expect(before.stdout).toMatch(new RegExp(`^ *${jobOfSlot(slot)} +missing +`, 'm'));
    expect(before.stdout).toMatch(/^2 jobs not as configured\. Repair with: pcache-migrate sync$/m);
    expect(before.code).toBe(3);
    const { document } = await json('status');
    expect(document.drift).toHaveLength(2);
    expect(document.jobs[0]).toMatchObject({
      jobId: expect.any(Number),
      schedule: expect.any(String),
    });

    const repaired = await run('sync');
    expect(repaired.stdout).toMatch(
      /^Changed 2 jobs of pg_cron in database "postgres":\n {2}scheduled /,
    );
    expect(repaired.code).toBe(0);
    const again = await json('sync');
    expect(again).toMatchObject({ code: 0, document: { jobs: [] } });
    expect((await run('status')).code).toBe(0);
  });

  it('names jobs of another making; sync removes one under our name and leaves the other', async () => {
    const { database } = settings.work;
    const impostor = jobOfSlot(19);
    for (const [name, command] of [
      [impostor, 'SELECT 19'],
      ['vacuum', 'VACUUM'],
    ]) {
      await cron.query("SELECT cron.schedule_in_database($1, '0 0 1 1 *', $2, $3)", [
        name,
        command,
        database,
      ]);
    }
    const { stdout, code } = await run('status');
    expect(stdout).toMatch(
      new RegExp(`^ *${impostor} +impostor +- +0 0 1 1 \\* SELECT 19 in ${database} *$`, 'm'),
    );
    expect(stdout).toMatch(
      new RegExp(`^ *vacuum +foreign +- +0 0 1 1 \\* VACUUM in ${database} *$`, 'm'),
    );
    expect(stdout).toMatch(/^1 job not as configured\. Repair with: pcache-migrate sync$/m);
    expect(stdout).toMatch(/^1 job of another making in the work database\. /m);
    expect(code).toBe(3);

    const repaired = await run('sync');
    expect(repaired.stdout).toContain(`unscheduled ${impostor}`);
    expect(repaired.stdout).toMatch(/^Left 1 job of pg_cron [^\n]*:\n {2}left vacuum$/m);
    const { document } = await json('sync');
    expect(document.jobs).toEqual([{ action: 'left', jobName: 'vacuum' }]);
    expect((await run('sync')).stdout).toMatch(/^Nothing to do: /);
    await cron.query("SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'vacuum'");
    expect((await run('status')).code).toBe(0);
  });
});

describe('stopping everything', () => {
  it('disables every processor, and says what is still at work and how to cancel it', async () => {
    await run('processor add second --parallel 1 --enable');
    await run('processor enable');
    const one = await run('processor disable');
    expect(one.stdout).toContain('Still enabled: second. To stop all: ');
    expect((await json('processor disable --all')).document).toMatchObject({
      processor: '*',
      changed: true,
      stillEnabled: [],
    });

    const app = await connectAs(settings.client);
    await enqueue(app, settings, [
      { hash: 'hangs', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 FROM pg_sleep(60)' },
    ]);
    const runner = await connectAs({ ...settings.cron, database: settings.work.database });
    const { rows } = await runner.query('SELECT pg_backend_pid() AS pid');
    const running = runner.query("CALL partitioncache.process_now('second', NULL)");
    await waitFor(
      'the fragment at work',
      async () => (await app.query('SELECT FROM partitioncache.active_items')).rowCount,
      { deadlineMs: 10_000 },
    );
    const all = await json('processor disable --all');
    expect(all.document).toMatchObject({
      changed: false,
      stillActive: [{ processor: 'second', slot: 0, pid: rows[0].pid, queryHash: 'hangs' }],
    });
    expect((await run('processor disable --all')).stdout).toContain(
      `SELECT pg_cancel_backend(${rows[0].pid});`,
    );
    const canceller = await connectAs({ ...settings.cron, database: settings.work.database });
    await canceller.query('SELECT pg_cancel_backend($1)', [rows[0].pid]);
    await running;
    await app.query('DELETE FROM partitioncache_queue_query_fragment_queue');
    await run('processor remove second');
    await run('processor enable');
  });
});

describe('another run that holds the lock', () => {
  it('is waited for, then named, exit code 4', async () => {
    const holder = await connectAs(settings.work);
    const key = [String(lockId(streamSites(settings).work.lock))];
    await holder.query('SELECT pg_advisory_lock($1)', key);
    try {
      for (const line of ['up', 'setup', 'sync', 'down', 'processor set --parallel 4']) {
        const { code, document } = await json(`${line} --wait-lock 0`);
        expect(document.error).toMatchObject({
          // The processor's row is changed by then; only pg_cron could not be told.
          name: line.startsWith('processor') ? 'JobsNotSyncedError' : 'LockBusyError',
          message: expect.stringContaining(`user "${site.migrator.name}"`),
          remedy: expect.stringContaining('pg_terminate_backend('),
        });
        expect([line, code]).toEqual([line, 4]);
      }
      const waiting = run('sync --wait-lock 30');
      await waitFor(
        'the command has tried to lock, in vain',
        async () => {
          const { rowCount } = await holder.query(
            `SELECT FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'pcache-migrate'
                AND state = 'idle' AND query LIKE '%advisory%'`,
          );
          return rowCount;
        },
        { deadlineMs: 30_000 },
      );
      await holder.query('SELECT pg_advisory_unlock($1)', key);
      const { code, stderr } = await waiting;
      expect(stderr).toMatch(/^Waiting up to 30 s for another run of pcache-migrate \(pid \d+, /);
      expect(code).toBe(0);
    } finally {
      await holder.query('SELECT pg_advisory_unlock_all()');
    }
  });
});

describe('processor run', () => {
  const fragment = (hash: string, query: string) => ({
    hash,
    key: 'zipcode',
    datatype: 'integer',
    query,
  });

  beforeAll(async () => {
    await run('processor disable');
    await waitFor(
      'the runs to end',
      async () => (await work.query('SELECT FROM partitioncache.batch')).rowCount === 0,
      {
        deadlineMs: 10_000,
      },
    );
  });

  it('drains the queue and says how it went', async () => {
    await enqueue(
      app,
      settings,
      [1, 2, 3].map((n) => fragment(`good-${n}`, `SELECT zipcode FROM pois WHERE id < ${n}00`)),
    );
    const first = await run('processor run --count 2');
    expect(first.stdout).toBe(
      `Worked on 2 fragments in database "${site.database}" as processor "${processor}": 2 ok.\n`,
    );
    expect(first.code).toBe(0);
    const { document } = await json('processor run');
    expect(document).toMatchObject({ processor, processed: 1, outcomes: { ok: 1 } });
    expect((await run('processor run')).stdout).toBe(
      `Nothing to do: no fragment is due in database "${site.database}".\n`,
    );
  });

  it('fails when a fragment does, and says where the reason is', async () => {
    await enqueue(app, settings, [fragment('bad', 'SELECT nix FROM pois')]);
    const { code, stdout } = await run('processor run');
    expect(stdout).toContain(': 1 failed.');
    expect(stdout).toContain('The reasons are in the table partitioncache_queue_processor_log.');
    expect(code).toBe(1);
  });

  it('puts the current fragment back on Ctrl-C', async () => {
    await enqueue(app, settings, [fragment('slow', 'SELECT zipcode FROM pois, pg_sleep(60)')]);
    const interruption = new AbortController();
    const running = json('processor run', { interrupted: interruption.signal });
    await waitFor(
      'the fragment to be begun',
      async () => {
        const { rowCount } = await work.query('SELECT FROM partitioncache.active_items');
        return rowCount === 1;
      },
      { deadlineMs: 10_000 },
    );
    interruption.abort();
    const { code, document } = await running;
    expect(document).toMatchObject({ processor, processed: 1 });
    expect(code).toBe(130);
    const { rows } = await work.query(`SELECT hash FROM ${tablesOf(settings).fragmentQueue}`);
    expect(rows).toEqual([{ hash: 'slow' }]);
  });
});

describe('down', () => {
  const queue = 'partitioncache_queue_query_fragment_queue';

  it('names what it took back and applied, all with --verbose', async () => {
    const names = (await migrationNames('cron')).slice(-3);
    const of = `migrations of the cron stream in database "postgres" (schema "${settings.cronSchema}"):`;
    const to = of.replace(' in ', ' to ');
    const last = names.toReversed();
    const list = (migrations: readonly string[]) =>
      migrations.map((name) => `\n  ${name}`).join('');
    const outputs = async (lines: readonly string[]) => {
      const results: string[] = [];
      for (const line of lines) results.push((await run(line)).stdout.split('\n\n')[0] ?? '');
      return results.map((text) => text.trimEnd());
    };
    expect(await outputs(['down --count 3', 'up', 'down --count 3 --verbose'])).toEqual([
      `Rolled back 3 ${of} ${span(last)}`,
      `Nothing to do for the work stream in database "${site.database}".`,
      `Rolled back 3 ${of}${list(last)}`,
    ]);
    expect((await run('up --stream cron --verbose')).stdout).toContain(
      `Applied 3 ${to}${list(names)}\n`,
    );
    const one = `${names[2]}`;
    expect(await outputs(['down --count 1', 'up --stream cron'])).toEqual([
      `Rolled back 1 ${of.replace('migrations', 'migration')} ${one}`,
      `Applied 1 ${to.replace('migrations', 'migration')} ${one}`,
    ]);
  });

  it('rewrites one line on a terminal, and leaves stdout to the document', async () => {
    const names = await migrationNames('cron');
    const options = { terminal: true };
    const { document } = await json('down --stream cron --all --no-color', options);
    expect(document.streams[0].migrations).toEqual(names.toReversed());
    const { code, stderr } = await run('up --no-color', options);
    const lines = progressOf('cron', names).map((line) => `\r${line}\u001b[K`);
    expect(stderr).toBe(`${lines.join('')}\n`);
    expect(code).toBe(0);
  });

  it('rolls back the last migration', async () => {
    const { code, document } = await json('down --count 1');
    expect(document).toMatchObject({
      confirmed: true,
      streams: [{ stream: 'cron', database: 'postgres', migrations: [expect.any(String)] }],
      lost: [],
      kept: [expect.stringContaining(site.database)],
    });
    expect(code).toBe(0);
    expect((await run('up')).code).toBe(0);
  });

  it('refuses to leave jobs that call what is gone', async () => {
    const { code, stderr } = await run('down --stream work --all --yes');
    expect(stderr).toContain('Roll it back first: pcache-migrate down --stream cron --all');
    expect(code).toBe(1);
  });

  it.each([
    ['up', 'plan'],
    ['down --all', 'plan --down --all'],
    ['down --all --drop-data', 'plan --down --all --drop-data'],
  ])('%s --dry-run is %s', async (line, planned) => {
    const dry = await run(`${line} --dry-run`);
    expect(dry).toEqual(await run(planned));
    expect(dry.stdout).toContain('Hash: sha256:');
    expect((await json(`${line} --dry-run`)).document.hash).toMatch(/^sha256:/);
    expect(await tableNames()).toContain(queue);
  });

  it('keeps tables that hold rows, without a question, until up takes them back', async () => {
    const { code, stdout } = await run('down --all');
    const row = new RegExp(`^ {2}${queue} +1$`, 'm');
    expect(stdout).toContain('Kept aside in schema "partitioncache_kept", with all their rows');
    expect(stdout).toMatch(row);
    expect(code).toBe(0);
    expect(await tableNames()).toEqual([]);
    expect((await run('status')).stdout).toMatch(
      new RegExp(`^Kept by down, .* in schema "partitioncache_kept": .*${queue} \\(1 row\\)`, 'm'),
    );
    const pending = await run('plan');
    expect(pending.stdout).toContain(
      'Taken back from schema "partitioncache_kept", where they fit:',
    );
    expect((await run('up')).stdout).toMatch(
      new RegExp(
        `Taken back, with the rows that down had kept:(\\n {2}.*)*\\n {2}${queue} \\(1 row\\)`,
      ),
    );
    expect((await run('status')).stdout).not.toContain('Kept by down');
  });

  it('requires --yes where it cannot ask, exit code 2, and lists what would be dropped', async () => {
    const { code, document } = await json('down --all --drop-data');
    expect(document.error).toMatchObject({
      name: 'UsageError',
      remedy: 'If they may go, pass --yes; to keep them, leave out --drop-data.',
    });
    expect(document.error.message).toContain(`${queue} (1 row)`);
    expect(code).toBe(2);
    expect(await tableNames()).toContain(queue);
  });

  it.each(['n\n', ''])('changes nothing when the answer is no (%j)', async (typed) => {
    const { code, stdout, stderr } = await run('down --all --drop-data --no-color', {
      terminal: true,
      typed,
    });
    expect(stderr).toContain('drops tables that hold rows:');
    expect(stderr).toMatch(new RegExp(`^ {2}${queue} +1$`, 'm'));
    expect(stdout).toBe('Nothing was changed.\n');
    expect(code).toBe(1);
    expect(await tableNames()).toContain(queue);
  });

  it('rolls back everything when the answer is yes, and says what is lost and kept', async () => {
    const { code, stdout } = await run('down --all --drop-data --no-color', {
      terminal: true,
      typed: 'y\n',
    });
    const names = (await migrationNames('cron')).toReversed();
    expect(stdout.split('\n')[0]).toBe(
      `Rolled back ${names.length} migrations of the cron stream in database "postgres" (schema "${settings.cronSchema}"): ${span(names)}`,
    );
    expect(stdout).toMatch(new RegExp(`^ {2}${queue} +1$`, 'm'));
    expect(stdout).toContain('Kept:\n  the extension pg_cron');
    expect(code).toBe(0);
    expect(await tableNames()).toEqual([]);
    expect((await run('status')).code).toBe(3);
  });
});

describe('with the link, an administrator and URIs', () => {
  const secrets = { admin: '', work: '', cron: '' };
  let changes: NodeJS.ProcessEnv;

  beforeAll(async () => {
    site = await createSite({ link: true });
    const { host, port, adminUser, adminPassword } = site.cluster;
    Object.assign(secrets, {
      admin: adminPassword,
      work: site.migrator.password,
      cron: site.cronRole.password,
    });
    const password = encodeURIComponent(site.migrator.password);
    changes = {
      DB_URL: `postgresql://${site.migrator.name}:${password}@${host}:${port}/${site.database}`,
      PG_ADMIN_USER: adminUser,
      PG_ADMIN_PASSWORD: adminPassword,
    };
    for (const name of ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'])
      changes[name] = undefined;
  });

  it('deploys, and the trigger reaches pg_cron', async () => {
    expect((await run('config', { changes })).code).toBe(0);
    expect((await run('doctor', { changes })).code).toBe(0);
    expect((await run('setup --enable-after-setup --parallel 2', { changes })).code).toBe(0);
    const { document } = await json('processor set --parallel 1', { changes });
    expect(document).toMatchObject({ changed: true, jobs: [] });
    expect((await run('status', { changes })).code).toBe(0);
  });

  it('fails with the reason when the link does not work, and stays as it was', async () => {
    const broken = { ...changes, PCACHE_LINK_PORT: '1' };
    const { code, stderr } = await run('up', { changes: broken });
    expect(stderr).toContain('PCACHE_LINK_PORT');
    expect(code).toBe(1);
    expect((await run('status', { changes })).code).toBe(0);
  });

  it('leaves nothing behind', async () => {
    expect((await run('down --all --yes', { changes })).code).toBe(0);
  });

  it('prints no password', () => {
    for (const secret of Object.values(secrets)) expect(printed).not.toContain(secret);
  });
});

it('has printed no password anywhere', () => {
  expect(printed.length).toBeGreaterThan(10_000);
  for (const secret of [...passwords, 'not-the-password']) expect(printed).not.toContain(secret);
});
