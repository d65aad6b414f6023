import type { ClientBase } from 'pg';
import { type LockHolder, withAdvisoryLock } from '../database/advisory-lock.js';
import { withClient } from '../database/connect.js';
import type { Settings } from '../settings/settings.js';
import { streamSites } from './stream-sites.js';

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

/** Connects to both databases for reading; takes no lock. */
export async function withDatabases<T>(
  settings: Settings,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return withClient(sites.work.connection, (work) =>
    withClient(sites.cron.connection, (cron) => use({ work, cron })),
  );
}

/**
 * Connects to both databases and keeps out other runs of pcache-migrate for this deployment.
 * Always locks the work database first: two runs that took the locks in different orders would wait for each other.
 */
export async function withLockedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return withDatabases(settings, (databases) =>
    withAdvisoryLock(databases.work, sites.work.lock, wait, () =>
      withAdvisoryLock(databases.cron, sites.cron.lock, wait, () => use(databases)),
    ),
  );
}
