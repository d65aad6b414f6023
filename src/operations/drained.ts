import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import { type Holder, placeSessionHold, releaseHold } from '../processor/holds.js';
import type { Settings } from '../settings/settings.js';
import { awaitNoRuns, type Drain } from './drain-runs.js';

/**
 * Runs `use` while nothing is processed and no run is at work, maintenance included. The configuration stays as it
 * is, and the hold ends with this session: whatever happens to it, what is enabled goes on afterwards.
 * Raises RunsStillActiveError when runs do not even heed a cancel.
 */
export async function drained<T>(
  work: ClientBase,
  settings: Settings,
  holder: Holder,
  drain: Drain,
  use: () => Promise<T>,
): Promise<T> {
  await placeSessionHold(work, settings, holder, `pcache-migrate ${holder} is at work`);
  try {
    await awaitNoRuns(work, settings, drain);
    return await use();
  } finally {
    await release(work, settings, holder);
  }
}

async function release(work: ClientBase, settings: Settings, holder: Holder): Promise<void> {
  try {
    // What was rolled back meanwhile may have taken it along.
    if (await hasRoutine(work, settings.schema, 'release_hold')) {
      await releaseHold(work, settings, holder);
    }
  } catch {
    // The connection is gone, and the hold with it. This error must not replace the one that `use` threw.
  }
}
