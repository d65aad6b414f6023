import { describe, expect, it } from 'vitest';
import { adopt } from '../../src/operations/adopt.js';
import { down } from '../../src/operations/down.js';
import { plan } from '../../src/operations/plan.js';
import { readStatus } from '../../src/operations/status.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, deploy, setUp } from '../harness/deployment.js';
import { anyName, dropDatabase, renameDatabase } from '../harness/moved-databases.js';
import { migrationBefore } from '../harness/package-migrations.js';

// Of a work stream that was rolled back in part, no job may call what is gone: neither what down leaves, nor what adopt
// would make of it. The next up schedules them.

const quietly = {
  waitSeconds: 20,
  drainSeconds: 20,
  onWait: () => {},
  log: () => {},
  confirm: async () => true,
};

/** Ours to see: those of the cron role of this site alone. */
async function jobs(settings: Settings): Promise<string[]> {
  const cron = await connectAs(settings.cron);
  const { rows } = await cron.query('SELECT jobname FROM cron.job ORDER BY jobname');
  return rows.map(({ jobname }) => jobname);
}

describe.each(['desired_jobs', 'sync_cron', 'claims', 'run_processor', 'run_maintenance'])(
  'rolled back to before what made %s',
  (object) => {
    it('nothing is scheduled, and adopt has nothing to do', async () => {
      const settings = (await createSite()).settings();
      await setUp(settings);
      const scheduled = await jobs(settings);
      const to = await migrationBefore('work', object);
      await down(settings, { ...quietly, streams: ['work'], extent: { to } });
      expect(await jobs(settings)).toEqual([]);
      const { steps } = await adopt(settings, { ...quietly, dryRun: false });
      expect(steps).toEqual([]);
      expect(await jobs(settings)).toEqual([]);
      const further = { streams: ['work'], extent: { count: 1 } } as const;
      expect((await plan(settings, { direction: 'down', ...further })).jobs).toEqual([]);
      await down(settings, { ...quietly, ...further });
      expect(await jobs(settings)).toEqual([]);
      await deploy(settings);
      expect(await jobs(settings)).toEqual(scheduled);
    });
  },
);

it('of a renamed database that was rolled back in part, adopt schedules nothing', async () => {
  const site = await createSite();
  await setUp(site.settings());
  const before = await jobs(site.settings());
  const to = await migrationBefore('work', 'run_processor');
  await down(site.settings(), { ...quietly, streams: ['work'], extent: { to } });
  const renamed = anyName('renamed');
  await renameDatabase(site.cluster, site.database, renamed);
  try {
    const settings = site.settings({ DB_NAME: renamed });
    await adopt(settings, { ...quietly, dryRun: false });
    expect(await jobs(settings)).toEqual([]);
    await deploy(settings);
    expect(await jobs(settings)).toEqual(
      before.map((name) => name.replace(site.database, renamed)),
    );
    expect((await readStatus(settings)).upToDate).toBe(true);
  } finally {
    await dropDatabase(site.cluster, renamed);
  }
});

interface Scheduled {
  readonly jobname: string;
  readonly schedule: string;
  readonly command: string;
}

async function schedules(settings: Settings): Promise<Scheduled[]> {
  const cron = await connectAs(settings.cron);
  const { rows } = await cron.query<Scheduled>(
    'SELECT jobname, schedule, command FROM cron.job ORDER BY jobname',
  );
  return rows;
}

const AT_REST = '0 0 30 2 *';

describe.each([
  { object: 'prune_job_runs', gone: /prune_job_runs|dispatch/ },
  { object: 'dispatch', gone: /dispatch/ },
])('a cron stream that was rolled back to before what made $object', ({ object, gone }) => {
  it('has the jobs that call what is left, and none at rest, as plan says', async () => {
    const settings = (await createSite()).settings();
    await setUp(settings, { parallel: 2 });
    const before = await schedules(settings);
    expect(before.filter(({ command }) => gone.test(command))).not.toEqual([]);
    expect(before.filter(({ schedule }) => schedule === AT_REST)).toHaveLength(1);

    const to = await migrationBefore('cron', object);
    const back = { streams: ['cron'], extent: { to } } as const;
    const planned = (await plan(settings, { direction: 'down', ...back })).jobs;
    const { jobs: done } = await down(settings, { ...quietly, ...back });
    const after = await schedules(settings);
    expect(after.map(({ jobname }) => jobname)).toEqual(
      before.filter(({ command }) => !gone.test(command)).map(({ jobname }) => jobname),
    );
    expect(after.filter(({ schedule }) => schedule === AT_REST)).toEqual([]);
    const names = (jobs: typeof done, action: string) =>
      jobs.filter((job) => job.action === action).map(({ jobName }) => jobName);
    if (!Array.isArray(planned)) throw new Error('the plan does not know');
    for (const action of ['unscheduled', 'altered']) {
      expect(names(done, action), action).toEqual(names(planned, action));
    }
    expect(names(done, 'unscheduled')).toEqual(
      before.filter(({ command }) => gone.test(command)).map(({ jobname }) => jobname),
    );
    expect((await adopt(settings, { ...quietly, dryRun: false })).steps).toEqual([]);
    expect(await schedules(settings)).toEqual(after);

    await deploy(settings);
    // Whether they are at rest is up to dispatch.
    const withoutSchedule = (jobs: readonly Scheduled[]) =>
      jobs.map(({ jobname, command }) => ({ jobname, command }));
    expect(withoutSchedule(await schedules(settings))).toEqual(withoutSchedule(before));
    expect((await readStatus(settings)).upToDate).toBe(true);
  });
});
