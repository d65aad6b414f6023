import { LEDGER_TABLES } from '../migrations/ledger.js';
import type { ObjectDifference } from './compare.js';
import { granteeOf, keyParts, qualifiedName } from './identity.js';

/** The table of the link's password, and those whose rows `down` and `--fix` run. */
const CLOSED_TABLES: ReadonlySet<string> = new Set(['cron_link', ...LEDGER_TABLES]);

/** Whether restoring it would grant somebody else something on a table on which no migration grants anything. */
export function isWithheldGrant({ kind, identity, expected, found }: ObjectDifference): boolean {
  const key = expected?.parents.at(-1);
  if (kind !== 'grant' || key === undefined || granteeOf(identity, key) === 'its owner') {
    return false;
  }
  const there = found?.definition.split('\n') ?? [];
  const wanted = expected?.definition.split('\n') ?? [];
  return isClosed(key) && wanted.some((line) => !there.includes(line));
}

function isClosed(key: string): boolean {
  const { kind, identity } = keyParts(key);
  return kind === 'table' && CLOSED_TABLES.has(qualifiedName(identity)?.name ?? '');
}

export const WITHHELD =
  'verify --fix grants nothing on this table: it holds the password of the link, or what is run with the rights of its owner, and no migration grants anything on it. Only if somebody decided that this role needs it, grant it by hand.';
