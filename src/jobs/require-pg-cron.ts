import type { ClientBase } from 'pg';
import { hasExtension } from '../database/catalogue.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { Settings } from '../settings/settings.js';

/** Somebody dropped pg_cron, or moved it to another database; what we deployed calls what is gone. */
export class PgCronMissingError extends PcacheError {
  override readonly name = 'PgCronMissingError';

  constructor(database: string) {
    super(
      `The extension pg_cron is missing in database "${database}", and with it all its jobs: nothing is scheduled.`,
      {
        remedy:
          'Run pcache-migrate doctor: it says whether pg_cron is in another database of the server, and what to type. When the extension is back, pcache-migrate sync schedules the jobs again; to take them to another database: pcache-migrate mode.',
      },
    );
  }
}

export function isPgCronMissing(error: unknown): boolean {
  return error instanceof PgCronMissingError;
}

/** Raises PgCronMissingError where the functions of the cron stream would fail for want of pg_cron. */
export async function requirePgCron(cron: ClientBase, settings: Settings): Promise<void> {
  if (!(await hasExtension(cron, 'pg_cron'))) throw new PgCronMissingError(settings.cron.database);
}
