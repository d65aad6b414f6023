import { isServersRefusal } from '../database/database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { remedyOf } from '../database/remedy-of.js';
import { type Check, type CheckResult, type Finding, failed, text } from './check-result.js';
import { oneLine } from './wording.js';

/** What to make of a check whose query the server rejected, of what the server said, and of what mends that. */
export type WhenRejected = (
  check: Pick<Check<never>, 'id' | 'title'>,
  said: string,
  remedy: string,
) => Finding;

/** Runs the checks in order; the checks that one of them needs must come before it. */
export async function runInOrder<C>(
  checks: readonly Check<C>[],
  context: C,
  whenRejected: WhenRejected = brokenServer,
): Promise<CheckResult[]> {
  const results = new Map<string, CheckResult>();
  for (const check of checks) {
    const { id, title } = check;
    const finding = unmetNeed(check, results) ?? (await runCheck(check, context, whenRejected));
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

async function runCheck<C>(
  check: Check<C>,
  context: C,
  whenRejected: WhenRejected,
): Promise<Finding> {
  try {
    return await check.run(context);
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    return whenRejected(check, oneLine(describeRefusal(error)), remedyOf(error) ?? '');
  }
}

function brokenServer(_check: unknown, said: string, remedy: string): Finding {
  return failed(`the server rejected the query: ${said}`, text('administrator', remedy));
}
