import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { shown } from '../errors/shown.js';
import { parsePlanFile } from '../plan/plan-file.js';
import { parseHash } from '../plan/plan-hash.js';
import type { Approval } from '../plan/require-plan.js';
import { UsageError } from './usage-error.js';

/** Which plan was approved. */
export const approval = {
  plan: {
    type: 'string',
    requiresArg: true,
    describe: 'Only if the plan still has this hash, which plan prints; else exit code 5',
  },
  'plan-file': {
    type: 'string',
    requiresArg: true,
    describe: 'Only if the plan is still the one in this file, which plan --out wrote',
  },
} as const satisfies Record<string, Options>;

interface ApprovalArguments {
  readonly plan?: string | undefined;
  readonly 'plan-file'?: string | undefined;
}

export function approvalProblem(args: ApprovalArguments): string | undefined {
  const { plan, 'plan-file': file } = args;
  if (plan !== undefined && file !== undefined) return '--plan and --plan-file exclude each other.';
  if (plan === undefined || parseHash(plan) !== undefined) return undefined;
  return '--plan needs the whole hash that plan prints: sha256: and 64 digits, and what follows them.';
}

/** Undefined if none was asked for; raises PlanFileError or UsageError for a file that cannot be used. */
export async function readApproval(
  { plan, 'plan-file': file }: ApprovalArguments,
  cwd: string,
): Promise<Approval | undefined> {
  if (plan !== undefined) return { kind: 'hash', hash: plan };
  if (file === undefined) return undefined;
  const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: Error) => {
    throw new UsageError(
      `The plan cannot be read: ${shown(cause.message)}`,
      'Give --plan-file the file that plan --out wrote.',
    );
  });
  return { kind: 'file', ...parsePlanFile(text, file) };
}
