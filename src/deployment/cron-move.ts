import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { envLine } from '../settings/env-line.js';
import type { Settings } from '../settings/settings.js';
import { type CronRecord, readCronRecord } from './cron-record.js';
import type { Origin } from './whereabouts.js';

/** A change of mode that has begun and is not finished. */
export interface CronMove {
  /** Undefined where no database is recorded, as where it was dropped or adopted meanwhile. */
  readonly from: string | undefined;
  readonly to: string;
}

/** Whatever else is done meanwhile may be in its way. */
export class CronMovingError extends PcacheError {
  override readonly name = 'CronMovingError';

  constructor(settings: Settings, move: CronMove) {
    super(`${cronMoving(settings, move)} Nothing was changed.`, {
      remedy: cronMovingRemedy(settings, move),
    });
  }
}

export function moveOf(record: CronRecord | undefined): CronMove | undefined {
  if (typeof record?.cron_database_next !== 'string') return undefined;
  return { from: record.cron_database_left ?? undefined, to: record.cron_database_next };
}

/** The one that a database had begun as `origin`, between the places as they are called now. */
export async function readMoveOf(
  work: ClientBase,
  settings: Settings,
  { database: origin }: Pick<Origin, 'database'>,
): Promise<CronMove | undefined> {
  const move = moveOf(await readCronRecord(work, settings, origin));
  const nowCalled = (database: string) => (database === origin ? settings.work.database : database);
  return move && { from: move.from && nowCalled(move.from), to: nowCalled(move.to) };
}

/** Raises CronMovingError while a change of mode is not finished. */
export async function requireNoCronMove(work: ClientBase, settings: Settings): Promise<void> {
  const move = moveOf(await readCronRecord(work, settings));
  if (move !== undefined) throw new CronMovingError(settings, move);
}

/** What is under way, in a sentence. */
export function cronMoving(settings: Settings, { from, to }: CronMove): string {
  const leaves = from === undefined ? 'go' : `leave database "${shown(from)}"`;
  return `A change of mode is under way: the cron stream and this deployment's jobs ${leaves} for database "${shown(to)}" (${modeAt(settings, to)} mode), and nothing is processed until they are there.`;
}

/** The commands that go on and that go back, whatever the settings say. */
export function cronMovingRemedy(settings: Settings, { from, to }: CronMove): string {
  const line = (database: string) =>
    `set ${envLine('PG_CRON_DATABASE', database)}, then pcache-migrate mode ${modeAt(settings, database)}`;
  return [
    `To go on: ${line(to)}.`,
    ...(from === undefined || from === to ? [] : [`To go back: ${line(from)}.`]),
  ].join('\n');
}

function modeAt({ work }: Settings, database: string): 'single' | 'cross' {
  return database === work.database ? 'single' : 'cross';
}
