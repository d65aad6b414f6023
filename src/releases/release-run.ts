import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import type { Settings } from '../settings/settings.js';
import { type ReleaseIdentity, recordEnd, recordWork } from './record-release.js';

/** Keeps the record of a release while it is under way. */
export interface ReleaseRun {
  readonly number: number;
  readonly packageVersion: string;
  /** In the transaction that applies these, so that both are there or neither. */
  readonly recordWork: (migrations: readonly string[]) => Promise<void>;
  /** Before what is not in the work database; false where that has no room for it yet, since its stream comes first. */
  readonly begin: () => Promise<boolean>;
  readonly recordDone: (cronMigrations: readonly string[]) => Promise<void>;
  /** Where it can: not when the first release fails, of which nothing is left. */
  readonly recordFailure: (error: unknown, cronMigrations: readonly string[]) => Promise<void>;
}

export function releaseRun(
  work: ClientBase,
  settings: Settings,
  number: number,
  identity: ReleaseIdentity,
): ReleaseRun {
  const start = performance.now();
  const record = (migrations: readonly string[]) => {
    const seconds = (performance.now() - start) / 1000;
    return recordWork(work, settings, number, identity, seconds, migrations);
  };
  const hasRoom = () => hasRelation(work, settings.schema, 'release');
  return {
    number,
    packageVersion: identity.packageVersion,
    recordWork: record,
    begin: async () => {
      if (!(await hasRoom())) return false;
      await record([]);
      return true;
    },
    recordDone: (cronMigrations) => recordEnd(work, settings, number, cronMigrations),
    recordFailure: async (error, cronMigrations) => {
      if (!(await hasRoom())) return;
      await record([]);
      await recordEnd(work, settings, number, cronMigrations, describeDatabaseError(error));
    },
  };
}
