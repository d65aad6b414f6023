import { ownName } from '../deployment/own-names.js';
import type { Databases } from '../deployment/with-databases.js';
import { type AppliedJobs, applyJobs } from '../jobs/apply-jobs.js';
import { dropLink, establishLink } from '../jobs/cron-link.js';
import { readPgCronVersion } from '../jobs/pg-cron-version.js';
import type { Settings } from '../settings/settings.js';

/**
 * Connects the work database to pg_cron by the deployment's transport and makes pg_cron's jobs follow the
 * configuration. Both streams must be up to date. Raises before it records anything when the link fails.
 */
export async function connectCronSide(
  databases: Databases,
  settings: Settings,
): Promise<AppliedJobs> {
  if (settings.transport === 'link') {
    await establishLink(databases.work, settings);
  } else {
    await dropLink(databases.work, settings);
  }
  const version = await readPgCronVersion(databases.cron);
  await databases.work.query(`SELECT ${ownName(settings, 'record_cron_side')}($1, $2, $3)`, [
    settings.transport,
    version,
    settings.cron.database,
  ]);
  return applyJobs(databases, settings);
}
