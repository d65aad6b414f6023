import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { sqlState } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import type { Run } from './runs.js';

/** A run that could not be told to stop. */
export interface UncancelledRun {
  readonly run: Run;
  readonly reason: string;
}

/**
 * Cancels what these runs are doing: a fragment goes back to the queue. As the migrator, and where that role may not,
 * as the cron role in the work database. Returns those that neither could cancel.
 */
export async function cancelRuns(
  work: ClientBase,
  settings: Settings,
  runs: readonly Run[],
): Promise<UncancelledRun[]> {
  const denied = await cancelEach(work, settings, runs);
  if (denied.length === 0 || settings.cron.user === settings.work.user) return denied;
  const cronRoleAtWork = {
    ...settings.work,
    user: settings.cron.user,
    password: settings.cron.password,
  };
  try {
    return await withClient(cronRoleAtWork, (client) =>
      cancelEach(
        client,
        settings,
        denied.map(({ run }) => run),
      ),
    );
  } catch (error) {
    return denied.map(({ run, reason }) => ({
      run,
      reason: `${reason}; as role "${settings.cron.user}": ${describeDatabaseError(error)}`,
    }));
  }
}

async function cancelEach(
  client: ClientBase,
  settings: Settings,
  runs: readonly Run[],
): Promise<UncancelledRun[]> {
  const denied: UncancelledRun[] = [];
  for (const run of runs) {
    try {
      // Asked for once more: its process may be somebody else's by now.
      await client.query(
        `SELECT pg_catalog.pg_cancel_backend(pid)
           FROM (SELECT DISTINCT pid FROM ${ownName(settings, 'runs_1')} WHERE pid = $1) AS run`,
        [run.pid],
      );
    } catch (error) {
      if (sqlState(error) !== '42501') throw error;
      denied.push({ run, reason: describeDatabaseError(error) });
    }
  }
  return denied;
}
