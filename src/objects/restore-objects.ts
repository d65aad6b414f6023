import type { ClientBase } from 'pg';
import { isServersRefusal } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { queryOne } from '../database/query-one.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { ObjectDifference, ObjectProblem } from './compare.js';
import { type Examined, examineObjects } from './examine-objects.js';
import { keyOf } from './listed-object.js';
import { strangersOf } from './named-difference.js';
import { byKey } from './next-record.js';
import { recordTable, serverVersion } from './record.js';
import { writeDigest } from './record-objects.js';
import { renaming } from './renamed.js';
import { type Repair, repairOf } from './repair.js';
import type { ObjectScope } from './scope.js';
import { requireTrustedRecord } from './trusted-record.js';

export interface RestoredDifference {
  /** `<kind> <identity>` */
  readonly object: string;
  /** What was wrong with it: what was unexpected is gone now. */
  readonly problem: ObjectProblem;
}

export interface Restored {
  /** What is as recorded again. */
  readonly restored: readonly RestoredDifference[];
  /** What the server refused, and why. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
}

/** What was restored still differs: the record and the server do not agree. */
export class NotRestoredError extends PcacheError {
  override readonly name = 'NotRestoredError';

  constructor(scope: ObjectScope, objects: readonly string[]) {
    super(
      `In database "${scope.database}", nothing was changed: after it was restored, this still differed from its record: ${objects.map(shown).join(', ')}.`,
      { remedy: 'See pcache-migrate verify for the difference, and mend it by hand.' },
    );
  }
}

/** Each round may bring what the next one needs: the comment of a function that is back. */
const ROUNDS = 5;

/**
 * Within a transaction: runs the record of what differs and may be restored, and compares again. Raises
 * UntrustedRecordError before it runs anything, NotRestoredError if it is not as recorded then.
 */
export async function restoreObjects(
  client: ClientBase,
  scope: ObjectScope,
  isOurs: (role: string) => boolean,
): Promise<Restored> {
  await requireTrustedRecord(client, scope);
  // A body may name what is restored after it.
  await client.query('SET LOCAL check_function_bodies = off');
  const restored = new Map<string, ObjectProblem>();
  const refused = new Map<string, string>();
  const printedAnew = new Set<string>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const examined = await examineAfter(client, scope, restored);
    const repairs = repairsOf(examined, isOurs, printedAnew);
    if (repairs.length === 0) break;
    for (const repair of repairs) {
      const key = keyOf(repair.difference);
      const reason = await attempt(client, repair);
      if (reason === undefined) {
        if (!restored.has(key)) restored.set(key, repair.difference.problem);
        refused.delete(key);
      } else {
        refused.set(key, reason);
      }
    }
  }
  await rewrite(client, scope, printedAnew);
  const { differences } = await required(client, scope);
  const stillDiffer = differences
    .filter(
      (one) => (restored.has(keyOf(one)) && !refused.has(keyOf(one))) || isOpen(one, restored),
    )
    .map(keyOf)
    .map((key) => (refused.has(key) ? `${key} (${refused.get(key)})` : key));
  if (stillDiffer.length > 0) throw new NotRestoredError(scope, stillDiffer);
  return {
    restored: [...restored]
      .filter(([object]) => !refused.has(object))
      .map(([object, problem]) => ({ object, problem })),
    refused: [...refused].map(([object, reason]) => ({ object, reason })),
  };
}

/** What was put back must not belong to another, or be open to more roles, than it was: a definer function, say. */
function isOpen(
  { kind, problem, expected, found }: ObjectDifference,
  restored: ReadonlyMap<string, ObjectProblem>,
): boolean {
  const isRight = kind === 'owner' || (kind === 'grant' && problem !== 'missing');
  return isRight && ((expected ?? found)?.parents ?? []).some((key) => restored.has(key));
}

/** Puts right first what the rest cannot be compared without. */
async function examineAfter(
  client: ClientBase,
  scope: ObjectScope,
  restored: Map<string, ObjectProblem>,
): Promise<Examined> {
  const examined = await examineObjects(client, scope);
  if (!('unknown' in examined)) return examined;
  for (const one of examined.first ?? []) {
    for (const statement of renaming(one)) await queryOne(client, statement);
    restored.set(keyOf(one), one.problem);
  }
  return required(client, scope);
}

async function required(client: ClientBase, scope: ObjectScope): Promise<Examined> {
  const examined = await examineObjects(client, scope);
  if ('unknown' in examined) throw new Error(examined.unknown);
  return examined;
}

/** What something is made of comes before what uses it; owners and grants come last, on what is there then. */
const ORDER = [
  'extension',
  'type',
  'domain',
  'sequence',
  'table',
  'column',
  'rows',
  'function',
  'procedure',
  'aggregate',
  'view',
  'constraint',
  'index',
  'statistics',
  'rule',
  'trigger',
  'comment',
  'owner',
  'grant',
];

function repairsOf(
  { differences, notCompared, recorded }: Examined,
  isOurs: (role: string) => boolean,
  printedAnew: Set<string>,
): Repair[] {
  const byName = byKey(recorded);
  // Made again from the record, it is printed as this version of PostgreSQL prints it.
  const reprinted = notCompared
    .map(({ expected, found }): ObjectDifference => {
      const { kind, identity } = expected;
      return { kind, identity, problem: 'changed', expected, found };
    })
    .filter((one) => !printedAnew.has(keyOf(one)));
  const strangerOf = strangersOf(differences, isOurs);
  const repairs = [...differences, ...reprinted]
    .filter((one) => strangerOf(one) === undefined)
    .flatMap((one) => repairOf(one, byName) ?? []);
  for (const { difference } of repairs) {
    if (reprinted.includes(difference)) printedAnew.add(keyOf(difference));
  }
  const place = ({ difference: { kind } }: Repair) => ORDER.indexOf(kind);
  const made = ({ difference: { expected, found } }: Repair) => (expected ?? found)?.position ?? 0;
  return repairs.sort((a, b) => place(a) - place(b) || made(a) - made(b));
}

const LOCK_FAILURES = new Set(['55P03', '40P01']);

interface Refusal {
  readonly code: string | undefined;
  readonly reason: string;
}

/** What is there has other columns, parameters or another result, and cannot be replaced. */
const IS_ANOTHER = new Set(['42P13', '42P16']);

/** Why the server refuses; undefined when it did not. */
async function attempt(client: ClientBase, repair: Repair): Promise<string | undefined> {
  const refusal = await tried(client, repair.statements);
  const replaces = refusal !== undefined && IS_ANOTHER.has(refusal.code ?? '');
  if (!replaces || repair.otherwise === undefined) return refusal?.reason;
  return (await tried(client, repair.otherwise))?.reason;
}

async function tried(
  client: ClientBase,
  statements: readonly string[],
): Promise<Refusal | undefined> {
  await client.query('SAVEPOINT repair');
  try {
    for (const statement of statements) await queryOne(client, statement);
    await client.query('RELEASE SAVEPOINT repair');
    return undefined;
  } catch (error) {
    // For a lock, the whole transaction is tried again.
    if (!isServersRefusal(error) || LOCK_FAILURES.has(error.code ?? '')) throw error;
    await client.query('ROLLBACK TO SAVEPOINT repair');
    return { code: error.code, reason: describeDatabaseError(error) };
  }
}

/** What was printed by another version of PostgreSQL is recorded as this one prints what the record makes. */
async function rewrite(
  client: ClientBase,
  scope: ObjectScope,
  printedAnew: ReadonlySet<string>,
): Promise<void> {
  if (printedAnew.size === 0) return;
  const { notCompared } = await required(client, scope);
  const version = await serverVersion(client);
  const table = recordTable(scope.schema, 'recorded_object');
  for (const { expected, found } of notCompared) {
    if (!printedAnew.has(keyOf(expected))) continue;
    await client.query(
      `UPDATE ${table} SET definition = $3, verbatim = $4, server_version_num = $5
        WHERE kind = $1 AND identity = $2`,
      [expected.kind, expected.identity, found.definition, found.verbatim, version],
    );
  }
  await writeDigest(client, scope);
}
