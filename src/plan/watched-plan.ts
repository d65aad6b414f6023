import { administratorStatements, forPeople } from '../doctor/apply-remedies.js';
import type { DoctorReport } from '../doctor/check-result.js';
import { readReleases } from '../releases/read-releases.js';
import type { Settings } from '../settings/settings.js';
import { isPending, type Plan } from './plan.js';
import { hashOf, type PlanHash } from './plan-hash.js';
import { withReadOnlyDatabases } from './read-only-databases.js';
import { readUpPlan, type UpRequest } from './read-plan.js';
import {
  type Approval,
  requireApproved,
  requireNoFurther,
  requireUnchanged,
} from './require-plan.js';

/** The plan of an `up` that is under way. */
export interface WatchedPlan {
  /** Called with the doctor's report before anything is changed because of it; raises PlanChangedError. */
  readonly beforeRemedies: (report: DoctorReport) => Promise<void>;
  /** Called under the lock, before the first migration: the hash of what is about to run. Raises PlanChangedError. */
  readonly underLock: () => Promise<PlanHash>;
}

/**
 * Without an approval, only the hash is found out. An approved plan that was run already, by an earlier attempt or by
 * another replica that was faster, is not run again, and no error.
 */
export function watchPlan(
  settings: Settings,
  request: UpRequest,
  approval: Approval | undefined,
): WatchedPlan {
  // Who applies a plan can read all of it.
  const asOurselves = { ...settings, planner: undefined };
  const read = (report: DoctorReport | undefined) => readUpPlan(asOurselves, request, report);
  let first: DoctorReport | undefined;
  let approved: Plan | undefined;

  const unlessDone = async (now: Plan, require: (approval: Approval) => void) => {
    if (approval === undefined) return;
    if (!isPending(now) && (await lastHash(asOurselves)) === approval.hash) return;
    require(approval);
  };

  return {
    beforeRemedies: async (report) => {
      const isFirst = first === undefined;
      first ??= report;
      // What a person has to fix is refused anyway, and may keep a plan from being read.
      if (approval === undefined || forPeople(report).length > 0) return;
      if (isFirst) {
        const now = await read(report);
        await unlessDone(now, (given) => requireApproved(now, given));
        approved = now;
      } else if (approved !== undefined) {
        requireNoFurther(approved, administratorStatements(report));
      }
    },
    underLock: async () => {
      const now = await read(first);
      // What the first report asks of an administrator was done by then.
      const rest = { ...now, administrator: [] };
      const before = approved ?? now;
      await unlessDone(rest, () => requireUnchanged(before, now));
      return hashOf(before);
    },
  };
}

/** Of the last release that stands. */
function lastHash(settings: Settings): Promise<PlanHash | undefined> {
  return withReadOnlyDatabases(settings, ['work'], async ({ work }) => {
    const releases = await readReleases(work, settings);
    return releases.findLast(
      ({ outcome, undoneAt }) => outcome === 'done' && undoneAt === undefined,
    )?.planHash;
  });
}
