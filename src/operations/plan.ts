import { requireCronPlace } from '../deployment/cron-place.js';
import type { StreamName } from '../migrations/streams.js';
import { isPending, type Plan } from '../plan/plan.js';
import { hashOf, type PlanHash } from '../plan/plan-hash.js';
import { readDownPlan, readUpPlan } from '../plan/read-plan.js';
import { readReleases } from '../releases/read-releases.js';
import type { Settings } from '../settings/settings.js';
import { givesUpKept, type RollbackExtent } from './rollback-extent.js';
import { rollbackSteps } from './rollback-steps.js';

export type PlanRequest =
  | {
      readonly direction: 'up';
      readonly streams: readonly StreamName[];
      /** The last migration to apply; only with a single stream. */
      readonly to?: string | undefined;
    }
  | {
      readonly direction: 'down';
      readonly streams: readonly StreamName[];
      readonly extent: RollbackExtent;
      /** Drops tables with their rows instead of keeping them. */
      readonly dropData?: boolean | undefined;
    };

export interface PlanReport extends Plan {
  /** Of all that matters in it; what `up --plan` takes. */
  readonly hash: PlanHash;
  /** Whether anything would be done, or has to be done first. */
  readonly isPending: boolean;
}

/** What `up` or `down` would do now. Only reads, as a role that may do no more if the settings name one. */
export async function plan(settings: Settings, request: PlanRequest): Promise<PlanReport> {
  const { streams } = request;
  const found =
    request.direction === 'up'
      ? await readUpPlan(settings, request)
      : await readDownPlan(settings, {
          streams,
          dropData: request.dropData,
          givesUpKept: (states) => givesUpKept(request, states),
          select: async (states, work, cronFailure) => {
            await requireCronPlace(work, settings);
            return rollbackSteps(request, states, await readReleases(work, settings), cronFailure);
          },
        });
  return { hash: hashOf(found), isPending: isPending(found), ...found };
}
