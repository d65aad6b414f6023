import type { AdministratorStatements } from '../doctor/apply-remedies.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Plan } from './plan.js';
import { differences } from './plan-differences.js';
import type { PlanInFile } from './plan-file.js';
import { hashOf, isApproved, parseHash, unknownIn } from './plan-hash.js';

/** What was reviewed: a hash alone, or the whole plan. */
export type Approval =
  | { readonly kind: 'hash'; readonly hash: string }
  | ({ readonly kind: 'file' } & PlanInFile);

/** What would be run is not what was approved. */
export class PlanChangedError extends PcacheError {
  override readonly name = 'PlanChangedError';
  /** What differs, a line each; empty where only the hash of the other plan is known. */
  readonly differences: readonly string[];

  constructor(what: string, found: readonly string[]) {
    super([what, ...found.map((line) => `  - ${line}`)].join('\n'), {
      remedy:
        found.length === 0
          ? 'Ledger, settings, package, what would be replaced, or the jobs have moved: compare pcache-migrate plan with the plan that was approved, and have it approved again. (up --plan-file says what differs.)'
          : 'Review pcache-migrate plan, and have it approved again.',
      exitCode: EXIT_CODES.planChanged,
    });
    this.differences = found;
  }
}

/** Raises PlanChangedError unless the plan is the approved one. */
export function requireApproved(plan: Plan, approval: Approval): void {
  const approved = parseHash(approval.hash);
  if (approved !== undefined && isApproved(plan, approved)) return;
  throw new PlanChangedError(
    `The plan is no longer the one that was approved; nothing was changed.\n  approved: ${shown(approval.hash)}\n  now:      ${hashOf(plan)}`,
    approval.kind === 'file' ? differences(approval.plan, plan, unknownIn(approval.plan)) : [],
  );
}

/** Raises PlanChangedError for what needs an administrator and is not in the plan; the others were run by then. */
export function requireNoFurther(
  { administrator }: Plan,
  further: readonly AdministratorStatements[],
): void {
  const planned = (administrator ?? []).flatMap(({ lines }) => lines);
  const found = further.flatMap(({ lines }) => lines).filter((line) => !planned.includes(line));
  if (found.length === 0) return;
  throw new PlanChangedError(
    "The administrator's statements of the plan were run, no migration was. Now these are needed, which were not approved:",
    found,
  );
}

/**
 * Raises PlanChangedError unless the plan, read again under the lock, is what it was before the first change. By then the
 * administrator's statements were run, and what was unknown for want of them may be known.
 */
export function requireUnchanged(before: Plan, now: Plan): void {
  const found = differences(before, now, [...unknownIn(before), 'administrator']);
  if (found.length === 0) return;
  throw new PlanChangedError(
    'The plan has changed since it was compared with the approved one, a moment ago; no migration was run.',
    found,
  );
}
