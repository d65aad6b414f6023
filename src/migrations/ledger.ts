import { type ClientBase, escapeIdentifier } from 'pg';
import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { PcacheError, type PcacheErrorDetails } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { type LockPolicy, lockingTransaction } from './locking-transaction.js';
import { span } from './span.js';

/** Made and kept by node-pg-migrate, in a schema of its own for each stream. */
export const LEDGER_TABLE = 'migrations';

export interface AppliedMigration {
  readonly name: string;
  readonly appliedAt: Date;
}

export class LedgerError extends PcacheError {
  override readonly name = 'LedgerError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], details?: PcacheErrorDetails) {
    super(problems.join('\n'), details);
    this.problems = problems;
  }
}

export function ledgerName(schema: string): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(LEDGER_TABLE)}`;
}

/** The migrations applied, in the order they were; none if there is no ledger. Creates nothing. */
export async function readLedger(client: ClientBase, schema: string): Promise<AppliedMigration[]> {
  if (!(await ledgerExists(client, schema))) return [];
  try {
    const { rows } = await client.query<AppliedMigration>(
      `SELECT name, run_on AT TIME ZONE 'UTC' AS "appliedAt" FROM ${ledgerName(schema)} ORDER BY id`,
    );
    return rows;
  } catch (cause) {
    throw ledgerFailure(schema, 'read', cause as Error);
  }
}

export function ledgerFailure(
  schema: string,
  action: 'read' | 'written' | 'dropped',
  cause: Error,
): LedgerError {
  const problem = `The ledger ${ledgerName(schema)} cannot be ${action}: ${describeDatabaseError(cause)}`;
  switch (isDatabaseError(cause) ? cause.code : undefined) {
    case '42501':
      return new LedgerError([problem], {
        remedy: `Make the role the owner of the schema ${escapeIdentifier(schema)}, or, where that does not exist, give it CREATE on the database.`,
        cause,
      });
    case '42703':
      return new LedgerError([problem, 'The table is not a ledger of pcache-migrate.'], {
        remedy: 'Choose another schema.',
        cause,
      });
    default:
      return new LedgerError([problem], { cause });
  }
}

// Not to_regclass: that fails where the role may not use the schema.
async function ledgerExists(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, LEDGER_TABLE],
  );
  return rowCount === 1;
}

export async function schemaExists(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1',
    [schema],
  );
  return rowCount === 1;
}

export function pending<M extends { readonly name: string }>(
  applied: readonly AppliedMigration[],
  migrations: readonly M[],
): M[] {
  const names = new Set(applied.map(({ name }) => name));
  return migrations.filter(({ name }) => !names.has(name));
}

/** Raises LedgerError unless the applied migrations are the first of the known ones, in order. */
export function checkLedger(
  applied: readonly { readonly name: string }[],
  migrations: readonly { readonly name: string }[],
): void {
  const known = migrations.map(({ name }) => name);
  const done = applied.map(({ name }) => name);
  const beyond = done.slice(known.length);
  const isNewer =
    known.every((name, index) => name === done[index]) &&
    beyond.every((name) => !known.includes(name));
  if (isNewer && beyond.length > 0) throw newer(beyond);
  if (done[0] !== undefined && !known.includes(done[0])) throw otherHistory(done);
  const misplaced = done.flatMap((name, index) =>
    name === known[index]
      ? []
      : [
          `The ledger has ${shown(name)} in place ${index + 1}, where ${known[index] ?? 'nothing'} belongs.`,
        ],
  );
  if (misplaced.length > 0) {
    throw new LedgerError(
      [...misplaced, 'The ledger was changed by hand, or by another build of pcache-migrate.'],
      { remedy: 'Use the build that migrated this database, or correct the ledger.' },
    );
  }
}

function newer(unknown: readonly string[]): LedgerError {
  const which =
    unknown.length === 1 ? `Migration ${span(unknown)} is` : `Migrations ${span(unknown)} are`;
  return new LedgerError(
    [
      `${which} applied, but not in this version.`,
      'This database was migrated by a newer pcache-migrate.',
    ],
    { remedy: 'Install the newer version that migrated this database.' },
  );
}

/** The first release began a new history; a database deployed by an earlier build cannot be carried over. */
function otherHistory(done: readonly string[]): LedgerError {
  return new LedgerError(
    [
      `The ledger begins with ${span(done.slice(0, 1))}, which is no migration of this version (${done.length} are applied).`,
      'This database was migrated by a build from before the first release, whose migrations were others.',
    ],
    {
      remedy:
        'Roll it back with the build that migrated it (pcache-migrate down --all), then deploy it with this one (pcache-migrate up).',
    },
  );
}

export interface DroppedLedger {
  readonly table: boolean;
  readonly schema: boolean;
}

/** Removes what is left of ours after the last migration was rolled back, and nothing else. */
export async function dropEmptyLedger(
  client: ClientBase,
  schema: string,
  policy: LockPolicy,
): Promise<DroppedLedger> {
  return lockingTransaction(client, policy, async () => ({
    table: await dropTable(client, schema),
    schema: await dropSchema(client, schema),
  }));
}

async function dropTable(client: ClientBase, schema: string): Promise<boolean> {
  if (!(await ledgerExists(client, schema))) return false;
  await onLedger(client, schema, 'LOCK TABLE');
  const applied = await readLedger(client, schema);
  if (applied.length > 0) {
    throw new LedgerError(
      [
        `The ledger ${ledgerName(schema)} still holds ${applied.map(({ name }) => shown(name)).join(', ')}, so it was kept.`,
      ],
      { remedy: 'Roll them back first: pcache-migrate down --all' },
    );
  }
  await onLedger(client, schema, 'DROP TABLE');
  return true;
}

async function onLedger(
  client: ClientBase,
  schema: string,
  command: 'LOCK TABLE' | 'DROP TABLE',
): Promise<void> {
  await client.query(`${command} ${ledgerName(schema)}`).catch((cause: Error) => {
    throw ledgerFailure(schema, 'dropped', cause);
  });
}

async function dropSchema(client: ClientBase, schema: string): Promise<boolean> {
  if (!(await ownsSchema(client, schema))) return false;
  await client.query('SAVEPOINT before_drop_schema');
  try {
    await client.query(`DROP SCHEMA ${escapeIdentifier(schema)} RESTRICT`);
    return true;
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== '2BP01') throw error;
    await client.query('ROLLBACK TO SAVEPOINT before_drop_schema');
    return false;
  }
}

// Ownership itself, not its use: a superuser could drop a schema that somebody else had made for us.
async function ownsSchema(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
     WHERE n.nspname = $1 AND n.nspname <> 'public' AND r.rolname = current_user`,
    [schema],
  );
  return rowCount === 1;
}
