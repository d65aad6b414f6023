import type { ClientBase } from 'pg';
import { inTransaction } from '../../database/in-transaction.js';
import { type CronMove, cronMoving, cronMovingRemedy } from '../../deployment/cron-move.js';
import { ownName } from '../../deployment/own-names.js';
import { placeHold, releaseHold } from '../../processor/holds.js';
import type { Settings } from '../../settings/settings.js';

/** From here on nothing is processed, and every command says that the way to the settings' place is under way. */
export async function beginMove(
  work: ClientBase,
  settings: Settings,
  move: CronMove,
): Promise<void> {
  const reason = `${cronMoving(settings, move)} ${cronMovingRemedy(settings, move).replace('\n', ' ')}`;
  await inTransaction(work, async () => {
    // What stands keeps its reason, and the way may go somewhere else by now.
    await releaseHold(work, settings, 'mode');
    await placeHold(work, settings, 'mode', reason);
    await recordNext(work, settings, move.to);
  });
}

/** Returns whether one was under way. */
export async function endMove(work: ClientBase, settings: Settings): Promise<boolean> {
  return inTransaction(work, async () => {
    await recordNext(work, settings, null);
    return releaseHold(work, settings, 'mode');
  });
}

async function recordNext(
  work: ClientBase,
  settings: Settings,
  database: string | null,
): Promise<void> {
  await work.query(`UPDATE ${ownName(settings, 'deployment')} SET cron_database_next = $1`, [
    database,
  ]);
}
