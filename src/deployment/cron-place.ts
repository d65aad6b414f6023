import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { envLine } from '../settings/env-line.js';
import type { Settings, Transport } from '../settings/settings.js';
import { type CronMove, CronMovingError, moveOf } from './cron-move.js';
import { type CronRecord, readCronRecord } from './cron-record.js';

/** Where the cron stream is, or was last, as the work database has recorded it. */
export interface CronPlace {
  readonly database: string;
  readonly transport: Transport;
  /** False once it is rolled back there. */
  readonly isDeployed: boolean;
  /** Where it was before that; undefined if it never left a database. */
  readonly before: string | undefined;
}

/** The settings want the cron stream in another database than the one where it is. */
export class CronElsewhereError extends PcacheError {
  override readonly name = 'CronElsewhereError';

  constructor(settings: Settings, database: string) {
    super(`${cronElsewhere(settings, database)} Nothing was changed.`, {
      remedy: `To leave it where it is: ${envLine('PG_CRON_DATABASE', database)}.`,
    });
  }
}

/** What CronElsewhereError says, in a sentence. */
export function cronElsewhere({ cron, mode }: Settings, database: string): string {
  return `The cron stream of this deployment is in database "${shown(database)}", and the settings (PG_CRON_DATABASE) say "${cron.database}": pcache-migrate mode ${mode} takes it there.`;
}

/** Where the cron stream is, next to where the settings want it. */
export interface CronStanding {
  /** Undefined where it was never deployed, or this role may not read where. */
  readonly place: CronPlace | undefined;
  readonly move: CronMove | undefined;
  /** The database of the cron stream, if that is another one than the settings say. */
  readonly elsewhere: string | undefined;
}

export async function readCronStanding(
  work: ClientBase,
  settings: Settings,
): Promise<CronStanding> {
  const record = await readCronRecord(work, settings);
  const place = placeOf(record);
  const isElsewhere = place?.isDeployed && place.database !== settings.cron.database;
  return { place, move: moveOf(record), elsewhere: isElsewhere ? place.database : undefined };
}

function placeOf(record: CronRecord | undefined): CronPlace | undefined {
  if (typeof record?.cron_database !== 'string') return undefined;
  return {
    database: record.cron_database,
    transport: record.transport,
    isDeployed: record.is_deployed,
    before: record.cron_database_before ?? undefined,
  };
}

/**
 * Raises CronElsewhereError when the settings lead to another pg_cron than this deployment's, CronMovingError while a
 * change of mode is not finished.
 */
export async function requireCronPlace(work: ClientBase, settings: Settings): Promise<void> {
  const { move, elsewhere } = await readCronStanding(work, settings);
  if (move !== undefined) throw new CronMovingError(settings, move);
  if (elsewhere !== undefined) throw new CronElsewhereError(settings, elsewhere);
}
