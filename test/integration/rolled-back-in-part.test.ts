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
