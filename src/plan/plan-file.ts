import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Plan } from './plan.js';
import { hashOf, type PlanHash } from './plan-hash.js';

const FORMAT = 'pcache-migrate plan';
const FORMAT_VERSION = 1;

/** A file is not a plan that this version wrote. */
export class PlanFileError extends PcacheError {
  override readonly name = 'PlanFileError';

  constructor(file: string, problem: string, remedy = MAKE_AGAIN, cause?: unknown) {
    super(`${shown(file)} ${problem}`, { remedy, exitCode: EXIT_CODES.usage, cause });
  }
}

const MAKE_AGAIN = 'Write it again by pcache-migrate plan --out, and hand it on unchanged.';

export function planFile(plan: Plan): string {
  const { packageVersion } = plan;
  const content = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    packageVersion,
    hash: hashOf(plan),
    plan,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

export interface PlanInFile {
  readonly hash: PlanHash;
  readonly plan: Plan;
}

/** `file` names it in messages. Raises PlanFileError. */
export function parsePlanFile(text: string, file: string): PlanInFile {
  let found: Partial<Record<string, unknown>>;
  try {
    found = JSON.parse(text) ?? {};
  } catch (cause) {
    throw new PlanFileError(file, 'is not JSON: it was cut or damaged.', MAKE_AGAIN, cause);
  }
  if (found.format !== FORMAT) {
    throw new PlanFileError(
      file,
      'is not a plan of pcache-migrate.',
      'Give the file that pcache-migrate plan --out wrote.',
    );
  }
  if (found.formatVersion !== FORMAT_VERSION) {
    throw new PlanFileError(
      file,
      `has the format ${shown(String(found.formatVersion))} of pcache-migrate ${shown(String(found.packageVersion))}; this version reads format ${FORMAT_VERSION}.`,
      'Make the plan with the version that is to run it.',
    );
  }
  const plan = found.plan as Plan;
  const hash = hashInFile(plan);
  if (hash === undefined || hash !== found.hash) {
    throw new PlanFileError(
      file,
      'was changed after it was written: its hash does not fit its content.',
    );
  }
  return { hash, plan };
}

/** Undefined for what has not the shape of a plan; what has and was edited gives another hash. */
function hashInFile(plan: Plan): PlanHash | undefined {
  try {
    return hashOf(plan);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
