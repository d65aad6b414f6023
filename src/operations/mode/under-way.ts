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
  await inTransaction(work, async () => {
    await holdForMove(work, settings, move);
    await recordMove(work, settings, move);
  });
}

/** Within a transaction: the hold, with the way as it is now in its reason. */
export async function holdForMove(
  work: ClientBase,
  settings: Settings,
  move: CronMove,
): Promise<void> {
  const reason = `${cronMoving(settings, move)} ${cronMovingRemedy(settings, move).replace('\n', ' ')}`;
  // What stands keeps its reason.
  await releaseHold(work, settings, 'mode');
  await placeHold(work, settings, 'mode', reason);
}

/** Returns whether one was under way. */
export async function endMove(work: ClientBase, settings: Settings): Promise<boolean> {
  return inTransaction(work, async () => {
    await recordMove(work, settings, undefined);
    return releaseHold(work, settings, 'mode');
  });
}

async function recordMove(
  work: ClientBase,
  settings: Settings,
  move: CronMove | undefined,
): Promise<void> {
  await work.query(
    `UPDATE ${ownName(settings, 'deployment')}
        SET cron_database_next = $1, cron_database_left = $2`,
    [move?.to, move?.from],
  );
}
