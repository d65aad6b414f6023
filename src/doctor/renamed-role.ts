import { type ClientBase, escapeIdentifier } from 'pg';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { unlessRefused } from '../database/unless-refused.js';
import { examineObjects } from '../objects/examine-objects.js';
import { objectScope } from '../objects/scope.js';
import type { Settings } from '../settings/settings.js';
import { plainName } from '../text/plain-name.js';

/**
 * Of the roles that are gone, what each is called now, as SQL has it: where another has all that the releases gave to it.
 */
export async function renamedRoles(
  work: ClientBase,
  settings: Settings,
  roles: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const scope = objectScope(settings, 'work');
  const examined = await unlessRefused(
    () => inReadOnlyTransaction(work, () => examineObjects(work, scope)),
    (unknown) => ({ unknown, isExpected: false }),
  );
  const differences = 'unknown' in examined ? [] : examined.differences;
  const named = (role: string) =>
    differences.find(({ kind, identity }) => kind === 'role' && identity === plainName(role));
  return new Map(
    roles.flatMap((role) => {
      const now = named(role)?.found?.identity;
      return now === undefined ? [] : [[role, now] as const];
    }),
  );
}

/** For an administrator. */
export function giveBackName(now: string, role: string): string {
  return `ALTER ROLE ${now} RENAME TO ${escapeIdentifier(role)};`;
}
