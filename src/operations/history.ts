import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { readCronRecord } from '../deployment/cron-record.js';
import { readStreamState } from '../deployment/stream-plan.js';
import { readWhereabouts, type Whereabouts } from '../deployment/whereabouts.js';
import { findHalfUndone, type HalfUndone } from '../releases/half-undone.js';
import { readReleases } from '../releases/read-releases.js';
import type { Release } from '../releases/release.js';
import type { Settings } from '../settings/settings.js';

export interface HistoryReport {
  /** Whether the work database is the one that was deployed. */
  readonly whereabouts: Whereabouts;
  /** The last one first. */
  readonly releases: readonly Release[];
  /** A release of which a rollback has taken something away, as far as the work database knows. */
  readonly halfUndone?: HalfUndone;
}

/** The releases of this deployment, also those that failed or were undone. Reads the work database only. */
export async function readHistory(settings: Settings): Promise<HistoryReport> {
  return withClient(settings.work, async (work) => {
    // First, since it says why nothing may be read there.
    const { applied } = await readStreamState(work, settings, 'work');
    const releases = await readReleases(work, settings);
    const halfUndone = findHalfUndone(releases, {
      work: applied.map(({ name }) => name),
      cron: (await isCronStreamGone(work, settings)) ? [] : undefined,
    });
    return {
      ...(halfUndone && { halfUndone }),
      whereabouts: await readWhereabouts(work, settings),
      releases: releases.reverse(),
    };
  });
}

/** As it was recorded when it was rolled back. */
async function isCronStreamGone(work: ClientBase, settings: Settings): Promise<boolean> {
  return (await readCronRecord(work, settings))?.is_deployed === false;
}
