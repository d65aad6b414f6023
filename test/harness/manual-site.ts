import type pg from 'pg';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { type ManualRunReport, runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import {
  connectAs,
  createSite,
  enqueue,
  type Fragment,
  type SiteOptions,
  setUp,
  setUpWithoutJobs,
  type TestSite,
  tablesOf,
} from './deployment.js';
import { waitFor } from './wait-for.js';

/** A processor that only runs by hand, with a session of each role. */
export interface ManualSite {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly app: pg.Client;
  readonly cronRole: pg.Client;
  readonly work: pg.Client;
}

export async function startManualSite(
  environment: NodeJS.ProcessEnv = {},
  options: SiteOptions = {},
): Promise<ManualSite> {
  const site = await createSite(options);
  const settings = site.settings(environment);
  await setUp(settings, { enable: false, parallel: 1 });
  return sessionsOf(site, settings);
}

/** The same, but pg_cron knows none of its jobs: only what the test starts runs. */
export async function startSiteWithoutJobs(
  environment: NodeJS.ProcessEnv = {},
): Promise<ManualSite> {
  const site = await createSite();
  const settings = site.settings(environment);
  await setUpWithoutJobs(settings);
  return sessionsOf(site, settings);
}

async function sessionsOf(site: TestSite, settings: Settings): Promise<ManualSite> {
  return {
    site,
    settings,
    app: await connectAs(settings.client),
    cronRole: await connectAs({ ...settings.cron, database: site.database }),
    work: await connectAs(settings.work),
  };
}

/** Enqueues and drains the queue, with the privileges of the cron role. */
export async function processNow(
  { settings, app, cronRole }: ManualSite,
  fragments: readonly Fragment[],
): Promise<ManualRunReport> {
  await enqueue(app, settings, fragments);
  return runProcessor(cronRole, settings, defaultJobName(settings), 10_000);
}

export interface Outcome {
  /** What the clients see; null while the fragment is unknown. */
  readonly status: string | null;
  /** Of the last row of the log. */
  readonly logged: string | null;
  readonly error: string | null;
  readonly queued: boolean;
}

export async function outcomeOf(
  { work, settings }: Pick<ManualSite, 'work' | 'settings'>,
  { hash, key }: Pick<Fragment, 'hash' | 'key'>,
): Promise<Outcome> {
  const { fragmentQueue, processorLog, queries } = tablesOf(settings);
  const { rows } = await work.query(
    `SELECT (SELECT status FROM ${queries} WHERE query_hash = $1 AND partition_key = $2) AS status,
            log.status AS logged, log.error_message AS error,
            EXISTS (SELECT FROM ${fragmentQueue} WHERE hash = $1 AND partition_key = $2) AS queued
       FROM (SELECT) AS always
       LEFT JOIN (SELECT * FROM ${processorLog} WHERE query_hash = $1 AND partition_key = $2
                   ORDER BY id DESC LIMIT 1) AS log ON true`,
    [hash, key],
  );
  return rows[0];
}

/**
 * Enqueues, and drains the queue in one run of slot 1, as a pg_cron job would; fails if the run ends while one of
 * the fragments is still queued. `meanwhile` gets the run's backend.
 */
export async function processInOneRun(
  it_: ManualSite,
  fragments: readonly Fragment[],
  meanwhile: (pid: number) => Promise<void> = async () => {},
): Promise<void> {
  await processByRuns(it_, fragments, meanwhile, 1);
}

/** The same in as many runs as it takes, each started when the previous one has ended. */
export async function processInRuns(
  it_: ManualSite,
  fragments: readonly Fragment[],
  meanwhile: (pid: number) => Promise<void> = async () => {},
): Promise<void> {
  await processByRuns(it_, fragments, meanwhile, Number.POSITIVE_INFINITY);
}

async function processByRuns(
  it_: ManualSite,
  fragments: readonly Fragment[],
  meanwhile: (pid: number) => Promise<void>,
  mostRuns: number,
): Promise<void> {
  const { site, settings, app, work } = it_;
  let enabled = true;
  const setEnabled = (value: boolean) => {
    enabled = value;
    return work.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = $1`, [value]);
  };
  await enqueue(app, settings, fragments);
  await setEnabled(true);
  const runner = await connectAs({ ...settings.cron, database: site.database });
  const { rows } = await runner.query('SELECT pg_backend_pid() AS pid');
  let ended = false;
  const runAll = async () => {
    try {
      for (let runs = 0; enabled && runs < mostRuns; runs += 1) {
        await runner.query('CALL partitioncache.run_processor($1, 1)', [defaultJobName(settings)]);
      }
    } finally {
      ended = true;
    }
  };
  const running = runAll();
  // Its error is thrown below.
  running.catch(() => {});
  try {
    await meanwhile(rows[0].pid);
    await waitFor(
      'an end of all fragments',
      async () => ended || !(await areQueued(it_, fragments)),
      { deadlineMs: 45_000 },
    );
  } finally {
    await setEnabled(false);
  }
  await running;
  if (await areQueued(it_, fragments)) throw new Error('the run ended before its fragments did');
}

async function areQueued(
  { work, settings }: ManualSite,
  fragments: readonly Fragment[],
): Promise<boolean> {
  const { rowCount } = await work.query(
    `SELECT FROM ${tablesOf(settings).fragmentQueue} WHERE hash = ANY ($1)`,
    [fragments.map(({ hash }) => hash)],
  );
  return rowCount !== 0;
}
