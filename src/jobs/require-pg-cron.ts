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

/** The extension is there, and the server was started without its library. */
export class PgCronNotLoadedError extends PcacheError {
  override readonly name = 'PgCronNotLoadedError';

  constructor(database: string) {
    super(
      `The server was started without pg_cron, so that nothing can be scheduled or unscheduled in database "${database}". No job is started meanwhile.`,
      {
        remedy: [
          'Have an administrator put pg_cron into shared_preload_libraries and restart the server: pcache-migrate doctor prints the lines.',
          `If pg_cron shall not come back: an administrator drops it in database "${database}", with the jobs of everybody that it holds: DROP EXTENSION pg_cron;`,
        ].join('\n'),
      },
    );
  }
}

// As pg_cron says it, in every language.
const NOT_LOADED = 'pg_cron can only be loaded via shared_preload_libraries';

/** Raises PgCronNotLoadedError where what is done needs the library and the server has not loaded it. */
export async function withPgCronLoaded<T>(
  { cron }: Pick<Settings, 'cron'>,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(NOT_LOADED))) throw error;
    throw new PgCronNotLoadedError(cron.database);
  }
}

export function isPgCronMissing(error: unknown): boolean {
  return error instanceof PgCronMissingError;
}

/** Raises PgCronMissingError where the functions of the cron stream would fail for want of pg_cron. */
export async function requirePgCron(cron: ClientBase, settings: Settings): Promise<void> {
  if (!(await hasExtension(cron, 'pg_cron'))) throw new PgCronMissingError(settings.cron.database);
}
