import type pg from 'pg';
import type { SetupOptions } from '../../src/operations/setup.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from './cluster.js';
import { adminClient } from './databases.js';
import { connectAs, createSite, type SiteOptions, setUp, type TestSite } from './deployment.js';

/** A cluster of its own in one of pg_cron's two modes, with a processor that pg_cron's jobs run. */
export interface JobSite {
  readonly cluster: ThrowawayCluster;
  readonly site: TestSite;
  readonly settings: Settings;
}

export type BackgroundWorkers = 'off' | 'on';

/** pg_cron's two modes: connections by libpq, and background workers. */
export const pgCronModes: readonly BackgroundWorkers[] = ['off', 'on'];

/**
 * pg_cron 1.4 starts a job only at the full minute. There, the same commands are also scheduled for the start of
 * pg_cron itself, so that they run at once, and again right after a crash.
 */
export async function startJobSite(
  backgroundWorkers: BackgroundWorkers,
  options: Partial<SetupOptions>,
  { server, ...siteOptions }: SiteOptions & { server?: Readonly<Record<string, string>> } = {},
): Promise<JobSite> {
  const cluster = await startOwnCluster({
    settings: {
      'cron.use_background_workers': backgroundWorkers,
      max_worker_processes: '30',
      ...server,
    },
  });
  await asAdmin(cluster, (admin) => admin.query('CREATE EXTENSION pg_cron'));
  const site = await createSite({ ...siteOptions, cluster });
  const settings = site.settings();
  await setUp(settings, { frequencySeconds: 1, ...options });
  const cronRole = await connectAs(settings.cron);
  const { rowCount } = await cronRole.query(
    `SELECT cron.schedule_in_database('at the start: ' || jobid, '@reboot', command, database)
       FROM cron.job WHERE schedule = '* * * * *'`,
  );
  if (rowCount !== 0) await cluster.restart();
  return { cluster, site, settings };
}

async function asAdmin(cluster: ThrowawayCluster, act: (admin: pg.Client) => Promise<unknown>) {
  const admin = await adminClient('postgres', cluster);
  try {
    await act(admin);
  } finally {
    await admin.end();
  }
}
