import type { ClientBase } from 'pg';
import { type LockHolder, withAdvisoryLock } from '../database/advisory-lock.js';
import { whileConnecting, withClient } from '../database/connect.js';
import type { ConnectionError } from '../database/connection-error.js';
import { withClientIfReachable } from '../database/with-client-if-reachable.js';
import type { Settings } from '../settings/settings.js';
import { requireInPlace, requireNotMoved } from './require-in-place.js';
import { requireOneServer } from './server-identity.js';
import { streamSites } from './stream-sites.js';

export interface Databases {
  /** Connected to the work database as the migrator. */
  readonly work: ClientBase;
  /** Connected to the pg_cron database as the cron role. */
  readonly cron: ClientBase;
}

/** The work database, and that of pg_cron where it can be reached. */
export interface ReachedDatabases {
  readonly work: ClientBase;
  readonly cron: ClientBase | undefined;
  /** Why not. */
  readonly cronFailure: ConnectionError | undefined;
}

export interface LockWait {
  /** How many seconds to wait for another run of pcache-migrate. */
  readonly waitSeconds: number;
  readonly onWait: (holder: LockHolder | undefined) => void;
}

/** Connects to both databases at once, for reading; takes no lock. */
export async function withDatabases<T>(
  settings: Settings,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return whileConnecting(sites.cron.connection, (begun) =>
    withClient(sites.work.connection, (work) =>
      withClient(sites.cron.connection, (cron) => use({ work, cron }), begun),
    ),
  );
}

/**
 * Connects to both databases and keeps out other runs of pcache-migrate for this deployment. Raises TwoServersError
 * where they are on two servers, MovedDatabaseError where the work database is not the one that was deployed: either
 * way the jobs are another's. UnknownDatabaseError where that cannot be told.
 */
export async function withLockedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  return withLockedMovedDatabases(settings, wait, async (databases) => {
    await requireInPlace(databases.work, settings);
    return use(databases);
  });
}

/** Likewise, for who mends what keeps that from being told. */
export async function withLockedDamagedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  return withLockedMovedDatabases(settings, wait, async (databases) => {
    await requireNotMoved(databases.work, settings);
    return use(databases);
  });
}

/**
 * Likewise, for who puts right a work database that moved.
 * Always locks the work database first: two runs that took the locks in different orders would wait for each other.
 */
export async function withLockedMovedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return withDatabases(settings, async (databases) => {
    await requireOneServer(databases, settings);
    return withAdvisoryLock(databases.work, sites.work.lock, wait, () =>
      withAdvisoryLock(databases.cron, sites.cron.lock, wait, () => use(databases)),
    );
  });
}

/** Like withDatabases, with the work database alone where pg_cron's cannot be reached. */
export function withReachedDatabases<T>(
  settings: Settings,
  use: (databases: ReachedDatabases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return whileConnecting(sites.cron.connection, (begun) =>
    withClient(sites.work.connection, (work) =>
      withClientIfReachable(
        sites.cron.connection,
        ({ client, failure }) => use({ work, cron: client, cronFailure: failure }),
        begun,
      ),
    ),
  );
}

/** Like withLockedDatabases, with the work database alone where pg_cron's cannot be reached. */
export function withLockedReachedDatabases<T>(
  settings: Settings,
  wait: LockWait,
  use: (databases: ReachedDatabases) => Promise<T>,
): Promise<T> {
  const sites = streamSites(settings);
  return withReachedDatabases(settings, async (databases) => {
    const { work, cron } = databases;
    if (cron) await requireOneServer({ work, cron }, settings);
    return withAdvisoryLock(work, sites.work.lock, wait, async () => {
      await requireInPlace(work, settings);
      return cron
        ? withAdvisoryLock(cron, sites.cron.lock, wait, () => use(databases))
        : use(databases);
    });
  });
}
