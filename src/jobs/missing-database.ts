import { type ClientBase, escapeIdentifier } from 'pg';
import { ConnectionError } from '../database/connection-error.js';
import { sqlState } from '../database/database-error.js';
import { unlessRefused } from '../database/unless-refused.js';
import { withClientIfReachable } from '../database/with-client-if-reachable.js';
import { shown } from '../errors/shown.js';
import { envLine } from '../settings/env-line.js';
import type { Settings } from '../settings/settings.js';
import { readCronSides, readJobsOfNoDatabase } from './left-behind.js';

const NO_SUCH_DATABASE = '3D000';

/** The failure, with the remedy that fits a work database that was deployed and has its name no more. */
export async function explainMissingDatabase(
  failure: ConnectionError,
  settings: Settings,
): Promise<ConnectionError> {
  const { work, cron } = settings;
  const isMissing = sqlState(failure.cause) === NO_SUCH_DATABASE;
  // The cron database may be the one that is missing.
  if (!isMissing || cron.database === work.database) return failure;
  return withClientIfReachable(cron, async ({ client }) => {
    const remedy = client && (await remedyOfMissing(client, settings));
    if (remedy === undefined) return failure;
    const { message, cause, wasLost } = failure;
    return new ConnectionError(message, remedy, { cause, wasLost });
  });
}

/** Undefined where nothing in the pg_cron database is of a work database of that name, or that cannot be told. */
async function remedyOfMissing(cron: ClientBase, settings: Settings): Promise<string | undefined> {
  return unlessRefused(
    async () => {
      const { database } = settings.work;
      const { own, others } = await readCronSides(cron);
      const sides = own.filter((side) => side.workDatabase === database);
      const now = sides.find(({ nameNow }) => nameNow !== undefined)?.nameNow;
      if (now !== undefined) return renamed(now, settings);
      const jobs = (await readJobsOfNoDatabase(cron)).filter((job) => job.database === database);
      const isKnown = sides.length > 0 || jobs.length > 0 || others.includes(settings.cronSchema);
      return isKnown ? gone(settings) : undefined;
    },
    () => undefined,
  );
}

function renamed(now: string, { work, cron }: Settings): string {
  return `It was renamed: what database "${shown(cron.database)}" has of "${shown(work.database)}" is of the database that is called "${shown(now)}" now. Set ${envLine(variableOf(work), now)}, and then put its jobs right: pcache-migrate adopt. What it will do, pcache-migrate adopt --dry-run shows.`;
}

function gone({ work, cron }: Settings): string {
  return `It was deployed: database "${shown(cron.database)}" still has its jobs. If it has another name now, set ${variableOf(work)} to that; if it is lost, restore it from a backup. Then run: pcache-migrate adopt. An empty database of the name ${escapeIdentifier(work.database)} would take those jobs over.`;
}

function variableOf({ variables }: Settings['work']): string {
  return variables?.database ?? 'DB_NAME';
}
