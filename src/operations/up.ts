import type { ClientBase } from 'pg';
import { withAdvisoryLock } from '../database/advisory-lock.js';
import { withClient } from '../database/connect.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { remedyThen } from '../database/remedy-of.js';
import { applyFragmentRole } from '../deployment/fragment-role.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { readStreamPlan } from '../deployment/stream-plan.js';
import { streamSites } from '../deployment/stream-sites.js';
import { type LockWait, withLockedDatabases } from '../deployment/with-databases.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import { type MigrationStep, migrateUp } from '../migrations/run-migrations.js';
import { span } from '../migrations/span.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { connectCronSide } from './connect-cron-side.js';
import { preflight } from './preflight.js';

export interface UpOptions extends LockWait {
  readonly streams: readonly StreamName[];
  /** The last migration to apply; only with a single stream. */
  readonly to?: string | undefined;
  readonly log: (message: string) => void;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

export interface MigrationProgress extends MigrationStep {
  readonly stream: StreamName;
}

export interface StreamChange {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  /** In the order they were run. */
  readonly migrations: readonly string[];
}

export interface UpReport {
  /** Statements run as the administrator beforehand. */
  readonly administrator: readonly string[];
  readonly streams: readonly StreamChange[];
  /** The role whose rights fragments have from now on; null if that did not change. */
  readonly fragmentRole: string | null;
  readonly jobs: readonly AppliedAction[];
  /** Whether the link to the pg_cron database was created or renewed, with the credentials of the settings. */
  readonly linkRenewed: boolean;
}

/** The work database is migrated, the pg_cron database is not: says what is where and how to go on. */
export class CronStreamError extends PcacheError {
  override readonly name = 'CronStreamError';
  readonly work: StreamChange;

  constructor(settings: Settings, work: StreamChange, cause: Error) {
    super(
      `The work stream is up to date in database "${settings.work.database}" (applied now: ${span(work.migrations) || 'nothing'}), ` +
        `but the cron side in database "${settings.cron.database}" failed: ${describeDatabaseError(cause)}\n` +
        'Nothing is half done: the processor is not scheduled until the cron side is up.',
      { remedy: remedyThen(cause, 'run pcache-migrate up again; it continues here.'), cause },
    );
    this.work = work;
  }
}

/**
 * Applies what is pending: work first, then cron. Raises PreflightError before anything is changed,
 * LockBusyError when another run does not end in time, CronStreamError when only the first half succeeded.
 */
export async function up(settings: Settings, options: UpOptions): Promise<UpReport> {
  const administrator = await preflight(settings, options.streams);
  if (!options.streams.includes('cron')) {
    return withClient(settings.work, (work) =>
      withAdvisoryLock(work, streamSites(settings).work.lock, options, async () => {
        const streams = [await upStream(work, settings, 'work', options)];
        const fragmentRole = await applyFragmentRole(work, settings);
        return { administrator, streams, fragmentRole, jobs: [], linkRenewed: false };
      }),
    );
  }
  return withLockedDatabases(settings, options, async (databases) => {
    const changes: StreamChange[] = [];
    let fragmentRole: string | null = null;
    if (options.streams.includes('work')) {
      changes.push(await upStream(databases.work, settings, 'work', options));
      fragmentRole = await applyFragmentRole(databases.work, settings);
    }
    try {
      changes.push(await upStream(databases.cron, settings, 'cron', options));
      const complete =
        (await isComplete(databases.work, settings, 'work')) &&
        (await isComplete(databases.cron, settings, 'cron'));
      const jobs = complete ? await connectCronSide(databases, settings) : [];
      const linkRenewed = complete && settings.transport === 'link';
      return { administrator, streams: changes, fragmentRole, jobs, linkRenewed };
    } catch (error) {
      const [work] = changes;
      if (work?.stream !== 'work' || !(error instanceof Error)) throw error;
      throw new CronStreamError(settings, work, error);
    }
  });
}

async function upStream(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
  { to, log, onProgress }: UpOptions,
): Promise<StreamChange> {
  const { database, schema, migrations } = await readStreamPlan(client, settings, stream);
  const applied = await migrateUp({
    client,
    schema,
    migrations,
    to,
    ...lockPolicy(log),
    onProgress: (step) => onProgress?.({ stream, ...step }),
  });
  return { stream, database, schema, migrations: applied };
}

async function isComplete(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<boolean> {
  return (await readStreamPlan(client, settings, stream)).pending.length === 0;
}
