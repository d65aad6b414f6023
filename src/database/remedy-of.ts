import { PcacheError } from '../errors/pcache-error.js';
import { isDatabaseError, sqlState } from './database-error.js';

/** By the beginning of the SQLSTATE, the longer ones first. */
const REMEDIES: readonly (readonly [states: RegExp, remedy: string])[] = [
  [
    /^42501/,
    'Run pcache-migrate doctor: it says which grant is missing, where, and who can give it. What was taken from a role of this deployment by hand, pcache-migrate verify names.',
  ],
  [
    /^2BP01/,
    'What depends on it is named there. Find out who needs it; then its owner, or an administrator, drops it, and the command is run again.',
  ],
  [
    /^25006/,
    'Run pcache-migrate doctor: it says whether this is a standby, or who made the role or the database read-only.',
  ],
  [/^(40|55P03)/, 'Run the command again: another session was in the way.'],
  [/^57014/, 'Run the command again: somebody cancelled it, or a timeout of the server did.'],
  [/^(53|58|XX|F0)/, "See the server's log; when the server is well again, repeat the command."],
  [
    /^(22|23)/,
    'If you gave that value, give another one. If not, pcache-migrate verify says what was changed by hand, and what mends it.',
  ],
];

const CHANGED_BY_HAND =
  'Run pcache-migrate verify: it says what is missing there or was changed by hand, and what mends it (mostly pcache-migrate verify --fix). What the server or a role lacks, pcache-migrate doctor says.';

/** The error's own remedy, or that of its cause; where a server refused, what finds out why. */
export function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PcacheError && error.remedy !== undefined) return error.remedy;
  if (isDatabaseError(error)) {
    const state = sqlState(error) ?? '';
    return REMEDIES.find(([states]) => states.test(state))?.[1] ?? CHANGED_BY_HAND;
  }
  return remedyOf(error.cause);
}

/** What to do once the cause of the failure is fixed. */
export function remedyThen(cause: unknown, next: string): string {
  const remedy = remedyOf(cause);
  return remedy === undefined ? `Fix the cause, then ${next}` : `${remedy}\nThen ${next}`;
}
