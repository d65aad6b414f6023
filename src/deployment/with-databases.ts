import type { ClientBase } from 'pg';
import { type LockHolder, withAdvisoryLock } from '../database/advisory-lock.js';
import { withClient } from '../database/connect.js';
import type { Settings } from '../settings/settings.js';

export interface Databases {
  /** Connected to the work database as the migrator. */
  readonly work: ClientBase;
  /** Connected to the pg_cron database as the cron role. */
  readonly cron: ClientBase;
}

export interface LockWait {
  /** How many seconds to wait for another run of pcache-migrate. */
  readonly waitSeconds: number;
  readonly onWait: (holder: LockHolder | undefined) => void;
}

export function workLock(settings: Pick<Settings, 'schema'>): string {
  return `pcache-migrate work ${settings.schema}`;
}

/** Connects to both databases for reading; takes no lock. */
export async function withDatabases<T>(
  settings: Settings,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  return withClient(settings.work, (work) =>
    withClient(settings.cron, (cron) => use({ work, cron })),
  );
}

/**
 * Connects to both databases and keeps other runs of pcache-migrate for this deployment away.
 * Always the work database's lock first: two runs that took them in different order would wait for each other.
 */
export async function withLockedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  return withDatabases(settings, (databases) =>
    withAdvisoryLock(databases.work, workLock(settings), wait, () =>
      withAdvisoryLock(databases.cron, `pcache-migrate cron ${settings.cronSchema}`, wait, () =>
        use(databases),
      ),
    ),
  );
}
