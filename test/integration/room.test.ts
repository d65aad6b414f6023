import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { CheckResult } from '../../src/doctor/check-result.js';
import type { RoomReport, Shortage } from '../../src/jobs/room.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createDatabase, createRole, dropDatabase } from '../harness/databases.js';
import { connectAs, createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { launcherRuns } from '../harness/stage.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// Each limit of the server in turn is too low for the jobs: three slots and a maintenance job a deployment, of which
// pg_cron starts the slots only once an hour.

const SCHEDULE = { enable: true, parallel: 3, frequencySeconds: 3600 };
const JOBS = 4;

/** Of another deployment, whose maintenance rests while there is no work. */
const AWAKE = 3;

let cluster: ThrowawayCluster;
let site: TestSite;
/** The work database of another deployment of the same cron role. */
let neighbour: string | undefined;

beforeAll(async () => {
  cluster = await startOwnCluster({
    settings: { 'cron.max_running_jobs': '6', max_connections: '40' },
  });
  await asRoot('CREATE EXTENSION pg_cron');
  site = await createSite({ cluster });
  await asRoot(`GRANT pg_read_all_settings TO ${site.cronRole.name}`);
  await setUp(site.settings(), SCHEDULE);
});

afterAll(async () => {
  if (neighbour !== undefined) await dropDatabase(neighbour, cluster);
});

function asRoot(...statements: string[]) {
  return asAdmin(cluster, statements, 'postgres');
}

async function restart(settings: Record<string, string> = {}) {
  await cluster.restart({ settings });
  await launcherRuns(cluster);
}

const administrator = () => ({
  PG_ADMIN_USER: cluster.adminUser,
  PG_ADMIN_PASSWORD: cluster.adminPassword,
});

async function run(command: readonly string[], changes: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await cli([...command], {
    env: site.environment(changes),
    now: () => new Date(),
  });
  expect(code, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function json(command: readonly string[], changes: NodeJS.ProcessEnv = {}) {
  return JSON.parse(await run([...command, '--json'], changes));
}

async function capacity(changes: NodeJS.ProcessEnv = {}): Promise<CheckResult> {
  const { checks } = await json(['doctor'], changes);
  return checks.find(({ id }: CheckResult) => id === 'job-capacity');
}

const SET = ['processor', 'set', '--parallel', String(SCHEDULE.parallel)];

/** What up says of the room, and doctor in the same words. */
async function room(changes: NodeJS.ProcessEnv = {}): Promise<RoomReport> {
  const { room } = await json(['up'], changes);
  const { status, detail, remedy } = await capacity(changes);
  for (const shortage of room.shortages) expect(detail).toContain(shortage.detail);
  for (const { reason } of room.unknown) expect(detail).toContain(reason);
  for (const found of [...room.shortages, ...room.unknown]) {
    expect(remedy?.lines).toEqual(expect.arrayContaining(found.remedy));
  }
  expect(status).toBe(room.verdict === 'enough' ? 'ok' : 'warning');
  return room;
}

async function short(): Promise<readonly Shortage[]> {
  const { verdict, shortages, unknown } = await room();
  expect(unknown).toEqual([]);
  expect(verdict).toBe(shortages.length === 0 ? 'enough' : 'short');
  return shortages;
}

/** What these commands say to people. */
async function texts(changes: NodeJS.ProcessEnv = {}): Promise<string[]> {
  return [await run(['up'], changes), await run(SET, changes)];
}

it('says nothing where all jobs have room', async () => {
  expect(await short()).toEqual([]);
  expect(await run(['up'])).not.toContain('room');
  expect((await capacity()).detail).toContain('4 jobs of this deployment can be due at once');
});

describe("a CONNECTION LIMIT of the cron role's", () => {
  it('is answered by another one', async () => {
    await asRoot(`ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT 5`);
    const found = await short();
    expect(found).toMatchObject([{ limit: 'role', value: 5, allows: 3, needs: JOBS }]);
    expect(found[0]?.remedy[0]).toBe(`ALTER ROLE "${site.cronRole.name}" CONNECTION LIMIT 6;`);
    expect((await json(SET)).room.shortages).toEqual(found);
    for (const text of await texts()) {
      expect(text).toContain(`Not enough room: ${found[0]?.detail}.`);
      for (const line of found[0]?.remedy ?? []) expect(text).toContain(`\n  ${line}\n`);
    }
    await asRoot(found[0]?.remedy[0] ?? '');
    expect(await short()).toEqual([]);
    expect((await json(SET)).room.shortages).toEqual([]);
    await asRoot(`ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT -1`);
  });

  it('is less the sessions of clients, whatever they are called', async () => {
    await asRoot(`ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT 5`);
    const clients = [
      await connectAs(site.settings().cron, 'pg_cron_dashboard'),
      await connectAs(site.settings().cron, 'pg_cron exporter'),
    ];
    const found = await short();
    await Promise.all(clients.map((client) => client.end()));
    expect(found).toMatchObject([{ limit: 'role', value: 5, allows: 1 }]);
    expect(found[0]?.detail).toContain('less 2 for other sessions of now');
    await asRoot(`ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT -1`);
  });

  it('is named where pg_cron says only that a job could not log in', async () => {
    const logins = async () => {
      const { checks } = await json(['doctor']);
      return checks.find(({ id }: CheckResult) => id === 'job-logins');
    };
    await asRoot(
      `INSERT INTO cron.job_run_details
         (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
       VALUES (0, nextval('cron.runid_seq'), 1, '${site.database}', '${site.cronRole.name}',
               'CALL partitioncache.run_processor(''x'', 1)', 'failed', 'connection failed', now(), now())`,
    );
    expect((await logins()).remedy.lines.join('\n')).not.toContain('CONNECTION LIMIT');
    await asRoot(`ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT 5`);
    expect((await logins()).remedy.lines.slice(0, 2)).toEqual([
      expect.stringMatching(/CONNECTION LIMIT 5 of role .*\. If that is the reason:$/),
      `ALTER ROLE "${site.cronRole.name}" CONNECTION LIMIT 6;`,
    ]);
    // Of a ledger that cannot be read, doctor still says so.
    const ledger = `partitioncache.ledger`;
    await asAdmin(cluster, [`ALTER TABLE ${ledger} RENAME COLUMN name TO nom`], site.database);
    const { stdout, code } = await cli(['doctor', '--json'], {
      env: site.environment(),
      now: () => new Date(),
    });
    await asAdmin(cluster, [`ALTER TABLE ${ledger} RENAME COLUMN nom TO name`], site.database);
    expect(code).toBe(1);
    const found = JSON.parse(stdout).checks.find(({ id }: CheckResult) => id === 'job-logins');
    expect(found).toMatchObject({ status: 'warning' });
    expect(found.remedy.lines[0]).toMatch(/^Whether a limit is the reason is not known: /);
    await asRoot(
      `ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT -1`,
      'DELETE FROM cron.job_run_details WHERE jobid = 0',
    );
  });
});

it("a CONNECTION LIMIT of the work database's is answered by another one", async () => {
  await asRoot(`ALTER DATABASE ${site.database} CONNECTION LIMIT 5`);
  const found = await short();
  expect(found).toMatchObject([{ limit: 'database', value: 5, allows: 3, needs: JOBS }]);
  await asRoot(found[0]?.remedy[0] ?? '');
  expect(await short()).toEqual([]);
});

describe('what no role of the deployment may see', () => {
  const HIDDEN =
    'cron.max_running_jobs and cron.use_background_workers are hidden from the roles of this deployment';

  beforeAll(() => asRoot(`REVOKE pg_read_all_settings FROM ${site.cronRole.name}`));

  it('is unknown, which each command says and never takes for room enough', async () => {
    const found = await room();
    expect(found).toEqual({
      verdict: 'unknown',
      shortages: [],
      unknown: [
        {
          reason: HIDDEN,
          remedy: [
            `GRANT pg_read_all_settings TO "${site.cronRole.name}";`,
            'Or set PG_ADMIN_USER and PG_ADMIN_PASSWORD for this command: it asks as that role then.',
          ],
        },
      ],
    });
    expect((await json(SET)).room).toEqual(found);
    expect((await json(['setup'])).room).toEqual(found);
    for (const text of await texts()) {
      expect(text).toContain(
        [
          `Whether all jobs have room is not known: ${HIDDEN}.`,
          'Remedy, as an administrator (superuser):',
          ...(found.unknown[0]?.remedy ?? []).map((line) => `  ${line}`),
          '',
        ].join('\n'),
      );
    }
  });

  it('is asked as the administrator, if there is one', async () => {
    expect(await room(administrator())).toMatchObject({ verdict: 'enough', unknown: [] });
    expect((await json(SET, administrator())).room).toMatchObject({ verdict: 'enough' });
    for (const text of await texts(administrator())) expect(text).not.toContain('room');
  });

  it('stays unknown where that role cannot log in', async () => {
    const wrong = { PG_ADMIN_USER: cluster.adminUser, PG_ADMIN_PASSWORD: 'wrong' };
    const { room } = await json(SET, wrong);
    expect(room.verdict).toBe('unknown');
    expect(room.unknown[0].reason).toContain(`${HIDDEN} (role "${cluster.adminUser}" `);
    expect(room.unknown[0].reason).toContain('could not be asked: ');
  });

  it('or may not see it either', async () => {
    const { name, password } = await createRole('admin', cluster);
    const { room } = await json(SET, { PG_ADMIN_USER: name, PG_ADMIN_PASSWORD: password });
    expect(room.unknown[0].reason).toBe(`${HIDDEN}, and from role "${name}" (PG_ADMIN_USER)`);
  });

  it('is seen once the remedy is run', async () => {
    await asRoot((await room()).unknown[0]?.remedy[0] ?? '');
    expect(await short()).toEqual([]);
    for (const text of await texts()) expect(text).not.toContain('room');
  });
});

it('a look that is refused is not taken for room enough', async () => {
  const [{ columns }] = await asRoot(
    `SELECT string_agg(quote_ident(column_name), ', ') AS columns
       FROM information_schema.columns
      WHERE table_name = 'pg_roles' AND column_name <> 'rolconnlimit'`,
  );
  await asRoot(
    'REVOKE SELECT ON pg_roles FROM PUBLIC',
    `GRANT SELECT (${columns}) ON pg_roles TO PUBLIC`,
  );
  try {
    for (const command of [['up'], ['setup'], SET]) {
      const { room } = await json(command);
      expect(room).toMatchObject({ verdict: 'unknown', shortages: [] });
      expect(room.unknown[0].reason).toContain('permission denied for');
      expect(await run(command)).toContain(
        `Whether all jobs have room is not known: ${room.unknown[0].reason}.`,
      );
    }
  } finally {
    await asRoot(
      `REVOKE SELECT (${columns}) ON pg_roles FROM PUBLIC`,
      'GRANT SELECT ON pg_roles TO PUBLIC',
    );
  }
  expect(await short()).toEqual([]);
});

describe('nothing is asked twice', () => {
  /** What the command line sends to the servers meanwhile. */
  async function watched(command: readonly string[], changes: NodeJS.ProcessEnv = {}) {
    const connect = vi.spyOn(pg.Client.prototype, 'connect');
    const query = vi.spyOn(pg.Client.prototype, 'query');
    try {
      // Else each connection is tried with TLS first.
      await run(command, { PGSSLMODE: 'disable', ...changes });
      const statements = query.mock.calls.map(([statement]) => String(statement));
      const asked = (text: string) => statements.filter((said) => said.includes(text)).length;
      return { connections: connect.mock.calls.length, asked };
    } finally {
      connect.mockRestore();
      query.mockRestore();
    }
  }

  it.each([
    ['up', 1],
    // Before the processor is changed, and after it.
    ['setup', 2],
  ])('by %s', async (command, times) => {
    const { asked } = await watched([command]);
    expect(asked('desired_jobs"()')).toBe(times);
    expect(asked('rolconnlimit')).toBe(1);
  });

  it('by processor set, which connects once to each database', async () => {
    const { connections, asked } = await watched(SET);
    expect(connections).toBe(2);
    expect(asked('desired_jobs"()')).toBe(1);
    expect(await watched(SET, administrator())).toMatchObject({ connections: 3 });
  });

  it('by processor set where the jobs do not follow by themselves: then for a sync, too', async () => {
    const { connections, asked } = await watched(['processor', 'set', '--parallel', '2']);
    expect(connections).toBe(3);
    expect(asked('desired_jobs"()')).toBe(1);
    await run(SET);
  });
});

describe('beside other deployments', () => {
  beforeAll(async () => {
    neighbour = await createDatabase('neighbour', { owner: site.migrator.name, cluster });
    await asAdmin(
      cluster,
      [`GRANT USAGE, CREATE ON SCHEMA public TO ${site.migrator.name}, ${site.app.name}`],
      neighbour,
    );
    await setUp(site.settings({ DB_NAME: neighbour }), SCHEDULE);
  });

  it('cron.max_running_jobs is for the jobs of all that are seen', async () => {
    const found = await short();
    expect(found).toMatchObject([
      { limit: 'cron.max_running_jobs', value: 6, allows: 5, needs: JOBS + AWAKE },
    ]);
    expect(found[0]?.detail).toContain(
      `7 jobs can be due at once (4 of this deployment, 3 in database "${neighbour}" as role "${site.cronRole.name}")`,
    );
    await asRoot(found[0]?.remedy[0] ?? '');
    await restart();
    expect(await short()).toEqual([]);
    const { detail } = await capacity();
    expect(detail).toContain('1 job of another deployment rests until that has work');
    expect(detail).toContain('2 jobs that start at their own times are not counted');
  });

  it('jobs of other roles are hidden, and counted by an administrator', async () => {
    expect(await capacity()).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(
        `Jobs of other roles are hidden from role "${site.cronRole.name}", and not counted.`,
      ),
    });
    const stranger = await createSite({ cluster });
    await setUp(stranger.settings(), SCHEDULE);
    const { verdict, unknown } = await room();
    expect(verdict).toBe('unknown');
    expect(unknown.map(({ reason }) => reason)).toEqual([
      `jobs of other roles are hidden from role "${site.cronRole.name}", and "${stranger.cronRole.name}" may have some here`,
    ]);
    const [line] = unknown[0]?.remedy ?? [];
    expect(await asRoot(line?.replace(/^.*?: /, '') ?? '')).toContainEqual(
      expect.objectContaining({ username: stranger.cronRole.name }),
    );
    const all = await room(administrator());
    expect(all).toMatchObject({ verdict: 'short', unknown: [] });
    expect(all.shortages[0]?.detail).toContain(
      `3 in database "${stranger.database}" as role "${stranger.cronRole.name}"`,
    );
    expect((await json(SET, administrator())).room).toEqual(all);
  });
});

it('max_connections is less what is reserved and what others have', async () => {
  await restart({ max_connections: '11' });
  const found = await short();
  expect(found).toMatchObject([
    { limit: 'max_connections', value: 11, allows: 6, needs: JOBS + AWAKE },
  ]);
  await asRoot(found[0]?.remedy[0] ?? '');
  await restart();
  expect(await short()).toEqual([]);
});

describe('with background workers', () => {
  beforeAll(() => restart({ 'cron.use_background_workers': 'on', max_worker_processes: '8' }));

  it('max_worker_processes is the limit', async () => {
    const found = await short();
    // With so few, pg_cron does not take what it was told above, and has its default.
    expect(found).toMatchObject([
      { limit: 'max_worker_processes', value: 8, allows: 6, needs: JOBS + AWAKE },
      { limit: 'cron.max_running_jobs', value: 5, allows: 4, needs: JOBS + AWAKE },
    ]);
    await asRoot(found[0]?.remedy[0] ?? '');
    await restart();
    expect(await short()).toEqual([]);
  });

  // pg_cron 1.4 starts a job only with the next minute.
  it.skipIf(inject('runtime').kind === 'local')(
    'no CONNECTION LIMIT is one, since they are not counted for it',
    async () => {
      const limit = (number: number) =>
        asRoot(
          `ALTER ROLE ${site.cronRole.name} CONNECTION LIMIT ${number}`,
          `ALTER DATABASE ${site.database} CONNECTION LIMIT ${number}`,
        );
      await limit(0);
      const workers = `pg_stat_activity WHERE usename = '${site.cronRole.name}' AND backend_type <> 'client backend'`;
      const [{ since }] = await asRoot(
        `SELECT pg_terminate_backend(pid) FROM ${workers}`,
        'SELECT now()::text AS since',
      );
      // Most begin and end between two looks at the sessions.
      await waitFor(
        'a run that has succeeded',
        () =>
          asRoot(
            `SELECT FROM cron.job_run_details WHERE status = 'succeeded' AND start_time > '${since}'`,
          ),
        { deadlineMs: 45_000, until: (rows) => rows.length > 0 },
      );
      await limit(4);
      expect(await short()).toEqual([]);
      await limit(-1);
    },
  );
});
