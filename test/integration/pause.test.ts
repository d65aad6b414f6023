import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, enqueue, tablesOf } from '../harness/deployment.js';
import { type ManualSite, startSiteWithoutJobs } from '../harness/manual-site.js';
import { type BackgroundRuns, startSlots } from '../harness/runs.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// The database alone decides whether anything is processed: not pg_cron, nor the configuration.
let it_: ManualSite;
let slots: BackgroundRuns | undefined;

beforeEach(async () => {
  it_ = await startSiteWithoutJobs();
});

afterEach(async () => {
  await slots?.stop().catch(() => {});
  slots = undefined;
});

async function run(line: string, changes: NodeJS.ProcessEnv = {}) {
  return cli(line.split(' '), { env: it_.site.environment(changes), now: () => new Date() });
}

async function json(line: string, changes?: NodeJS.ProcessEnv) {
  const { code, stdout } = await run(`${line} --json`, changes);
  return { code, ...JSON.parse(stdout) };
}

const queue = (hash: string, query: string) =>
  enqueue(it_.app, it_.settings, [{ hash, key: 'zipcode', datatype: 'integer', query }]);

async function statuses(): Promise<Record<string, string>> {
  const { rows } = await it_.work.query(
    `SELECT query_hash, status FROM ${tablesOf(it_.settings).queries}`,
  );
  return Object.fromEntries(rows.map(({ query_hash, status }) => [query_hash, status]));
}

async function isCached(hash: string): Promise<void> {
  await waitFor(`${hash} is cached`, async () => (await statuses())[hash] === 'ok', {
    deadlineMs: 20_000,
  });
}

async function configuration() {
  const { rows } = await it_.work.query(
    `SELECT job_name, enabled, max_parallel_jobs FROM ${tablesOf(it_.settings).processorConfig}`,
  );
  return rows;
}

/** As on a server whose pg_cron cannot be asked. */
const cronGone = { PG_CRON_DATABASE: 'no_such_database' };

it('stops what runs, leaves the configuration alone, and goes on', async () => {
  slots = await startSlots(it_, [1, 2]);
  await queue('before', 'SELECT 1 AS zipcode');
  await isCached('before');
  const before = await configuration();

  expect(await run('pause --reason ticket-4711', cronGone)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/is paused\.\n\nPaused .* by role ".*" on .*: ticket-4711\n/),
  });
  await queue('meanwhile', 'SELECT 2 AS zipcode');
  // Not even by hand, in either way.
  const byHand = await json('processor run');
  expect(byHand.error).toMatchObject({
    name: 'ProcessingHeldError',
    remedy: 'When the reason is gone: pcache-migrate resume',
  });
  await expect(
    it_.app.query('SELECT * FROM partitioncache_manual_process_queue(1)'),
  ).rejects.toMatchObject({ code: '55000', message: expect.stringContaining('ticket-4711') });
  // Each of these runs has looked at the queue, or would have.
  const cronRole = await connectAs({ ...it_.settings.cron, database: it_.site.database });
  await cronRole.query('CALL partitioncache.run_processor($1, 3)', [defaultJobName(it_.settings)]);
  await cronRole.query('CALL partitioncache.run_maintenance()');
  expect(await statuses()).toEqual({ before: 'ok' });
  expect(await configuration()).toEqual(before);

  const status = await json('status', cronGone);
  expect(status.holds).toMatchObject([{ holder: 'pause', reason: 'ticket-4711' }]);
  expect((await run('processor enable')).stdout).toContain('Nothing more is begun:');
  expect((await json('pause --reason another')).already).toBe(true);
  const again = await run('up');
  expect(again.stdout).toContain('Processing is still held, as it was before:\nPaused');
  expect(again.stdout).toContain('To go on: pcache-migrate resume');
  expect((await json('up')).holds).toMatchObject([{ holder: 'pause', reason: 'ticket-4711' }]);
  expect((await json('status')).holds).toMatchObject([{ reason: 'ticket-4711' }]);

  expect(await json('resume', cronGone)).toMatchObject({ code: 0, resumed: true, holds: [] });
  await isCached('meanwhile');
  expect(await json('resume')).toMatchObject({ code: 0, resumed: false });
});

describe('with a fragment at work that takes long', () => {
  beforeEach(async () => {
    slots = await startSlots(it_, [1]);
    await queue('long', 'SELECT 1 AS zipcode FROM pg_sleep(600)');
    await waitFor(
      'the fragment is at work',
      async () => (await it_.work.query('SELECT FROM partitioncache.active_items')).rowCount === 1,
      { deadlineMs: 20_000 },
    );
  });

  afterEach(async () => {
    await it_.work.query(`DELETE FROM ${tablesOf(it_.settings).fragmentQueue}`);
    await json('pause --now');
  });

  it('says what is still at work, and cancels it when told to', async () => {
    const paused = await json('pause --wait 0');
    expect(paused.code).toBe(3);
    expect(paused.stillAtWork).toMatchObject([
      { kind: 'processor', processor: defaultJobName(it_.settings), slot: 1 },
    ]);
    expect(paused.active).toMatchObject([{ queryHash: 'long' }]);

    // The migrator may not cancel the cron role's session; the cron role itself may.
    const now = await json('pause --now');
    expect(now).toMatchObject({ code: 0, already: true, stillAtWork: [], uncancelled: [] });
    const { rows } = await it_.work.query(
      `SELECT hash FROM ${tablesOf(it_.settings).fragmentQueue}`,
    );
    expect(rows).toEqual([{ hash: 'long' }]);
    // As often as somebody pauses: it is not at fault.
    const { rows: counted } = await it_.work.query('SELECT attempts FROM partitioncache.attempt');
    expect(counted).toEqual([{ attempts: 0 }]);
  });

  it('says what it could not cancel, and how', async () => {
    const paused = await run('pause --now --wait 0', { PG_CRON_PASSWORD: 'wrong' });
    expect(paused.code).toBe(3);
    expect(paused.stdout).toMatch(/Could not cancel .* slot 1 \(pid \d+\)/);
    expect(paused.stdout).toMatch(/SELECT pg_terminate_backend\(\d+\);/);
    expect((await json('status')).holds).toMatchObject([{ holder: 'pause' }]);
  });
});

it('names what it does not reach', async () => {
  const { cron, cronSchema: _ } = it_.settings;
  const cronRole = await connectAs(cron);
  const { rows } = await cronRole.query(
    "SELECT cron.schedule_in_database('theirs', '0 0 1 1 *', 'SELECT 42', $1) AS id",
    [it_.site.database],
  );
  await it_.work.query(
    'CREATE FUNCTION public.partitioncache_run_single_job_with_params() RETURNS void LANGUAGE sql AS $$$$',
  );
  const { code, stdout } = await run('pause');
  expect(code).toBe(0);
  expect(stdout).toContain(`job ${rows[0].id} theirs of role`);
  expect(stdout).toContain(`SELECT cron.alter_job(${rows[0].id}, active := false);`);
  expect(stdout).toContain("PartitionCache's own processor is set up");
  expect(stdout).toContain('Unknown: jobs of other roles than');
  await cronRole.query(`SELECT cron.unschedule(${rows[0].id})`);

  // pg_cron hides those of another role from the cron role.
  const admin = await adminClient(cron.database, it_.site.cluster);
  const { rows: others } = await admin.query(
    "SELECT cron.schedule_in_database('hidden', '0 0 1 1 *', 'SELECT 43', $1) AS id",
    [it_.site.database],
  );
  try {
    expect((await run('pause')).stdout).not.toContain('SELECT 43');
    const { adminUser, adminPassword } = it_.site.cluster;
    const seen = await run('pause', { PG_ADMIN_USER: adminUser, PG_ADMIN_PASSWORD: adminPassword });
    expect(seen.stdout).toContain(`job ${others[0].id} hidden of role "${adminUser}"`);
    expect(seen.stdout).not.toContain('SELECT 43');
    expect(seen.stdout).not.toContain('Unknown');
  } finally {
    await admin.query(`SELECT cron.unschedule(${others[0].id})`);
    await admin.end();
  }
});

describe('where transactions are read-only', () => {
  beforeEach(async () => {
    await it_.work.query('ALTER ROLE CURRENT_USER SET default_transaction_read_only = on');
  });

  it('pauses and resumes all the same', async () => {
    expect(await json('pause')).toMatchObject({ code: 0, already: false });
    expect(await json('resume')).toMatchObject({ code: 0, resumed: true });
  });

  it('status says of which role that is so', async () => {
    const { code, stdout } = await run('status');
    expect(code).toBe(3);
    expect(stdout).toMatch(/\nNothing can be written in database ".*are read-only there.* RESET/);
    expect(stdout).not.toContain('No fragment is processed');
  });

  it.each(['processor set --parallel 2', 'sync', 'down --yes'])('%s says so', async (line) => {
    const { error } = await json(line);
    expect(error.message).toMatch(/Nothing can be written in database ".*are read-only there/);
    expect(error.remedy).toContain('RESET default_transaction_read_only');
  });
});

it('says where nothing is deployed, and what to type when the role is broken', async () => {
  const given = await run('pause --env-file /dev/null', { PCACHE_SCHEMA: 'elsewhere' });
  expect(given.stderr).toContain('pcache-migrate --env-file /dev/null config');
  const nowhere = await json('pause', { PCACHE_SCHEMA: 'elsewhere' });
  expect(nowhere.error).toMatchObject({
    name: 'PauseError',
    message: expect.stringContaining('no deployment in schema "elsewhere"'),
  });
  const broken = await json('pause', { DB_PASSWORD: 'wrong' });
  expect(broken.error.remedy).toContain(
    `SELECT "partitioncache"."pause_1"('why, and who you are');`,
  );
});

it('takes no stranger who holds the same locks for a run', async () => {
  await it_.app.query("SELECT pg_advisory_lock('partitioncache.hold'::regclass::oid::integer, 1)");
  expect(await json('pause')).toMatchObject({ code: 0, stillAtWork: [] });
});
