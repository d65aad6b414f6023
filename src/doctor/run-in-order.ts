import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { type Check, type CheckResult, type Finding, failed, text } from './check-result.js';
import { oneLine } from './wording.js';

/** Runs the checks in order; the checks that one of them needs must come before it. */
export async function runInOrder<C>(
  checks: readonly Check<C>[],
  context: C,
): Promise<CheckResult[]> {
  const results = new Map<string, CheckResult>();
  for (const check of checks) {
    const { id, title } = check;
    const finding = unmetNeed(check, results) ?? (await runCheck(check, context));
    results.set(id, { id, title, ...finding });
  }
  return [...results.values()];
}

/** A need that is not among these checks does not apply here, so it blocks nothing. */
function unmetNeed<C>(
  { needs }: Check<C>,
  results: ReadonlyMap<string, CheckResult>,
): Finding | undefined {
  const unmet = needs
    .map((id) => results.get(id))
    .find((result) => result?.status === 'failed' || result?.status === 'skipped');
  return unmet && { status: 'skipped', detail: `not checked, because of: ${unmet.title}` };
}

async function runCheck<C>(check: Check<C>, context: C): Promise<Finding> {
  try {
    return await check.run(context);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return failed(
      `the server rejected the query: ${oneLine(describeDatabaseError(error))}`,
      text('administrator', 'Fix what the server reports, and run pcache-migrate doctor again.'),
    );
  }
}
