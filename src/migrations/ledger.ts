import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { shown } from '../errors/shown.js';
import { dropOwnSchema } from './drop-own-schema.js';
import { ForeignSchemaError, LedgerError, ledgerFailure } from './ledger-error.js';
import { type LockPolicy, lockingTransaction } from './locking-transaction.js';
import { linesAgainstOthers, whoElseMadeIt } from './who-else-made-it.js';

/** Made and kept by node-pg-migrate, in a schema of its own for each stream. */
export const LEDGER_TABLE = 'migrations';

/** All tables that the first migration of a stream makes beside that. */
export const LEDGER_TABLES: readonly string[] = [
  LEDGER_TABLE,
  'ledger',
  'release',
  'recorded_object',
  'recording',
];

export interface AppliedMigration {
  readonly name: string;
  readonly appliedAt: Date;
  /** Undefined where the table `ledger` has no row for it. */
  readonly record: MigrationRecord | undefined;
  /** Whether node-pg-migrate's table has it; both tables do, unless somebody changed one. */
  readonly isListed: boolean;
}

/** What the ledger holds of a migration beside its SQL. */
export interface MigrationRecord {
  /** The number of the release that applied it. */
  readonly release: number;
  readonly packageVersion: string;
  readonly appliedBy: string;
  readonly seconds: number;
  /** SHA-256 of the file that was applied, in hexadecimal. */
  readonly upChecksum: string;
  readonly downChecksum: string;
  /** Whether packages that do not have it must not work on the database. */
  readonly breaksOlder: boolean;
  /** Whether it is rolled back in a transaction. */
  readonly inTransaction: boolean;
  /** The tables of the clients' schema that its rollback drops. */
  readonly drops: readonly string[];
}

/** The table that says of each applied migration what was run and what takes it back. */
export function ledgerName(schema: string): string {
  return `${escapeIdentifier(schema)}.ledger`;
}

function runnerTableName(schema: string): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(LEDGER_TABLE)}`;
}

/**
 * The migrations applied, in the order they were; none if there is no ledger. Creates nothing. Raises
 * ForeignSchemaError where somebody else than `owner`, the role that deploys there, made what would be read; the connected role, if left
 * out.
 */
export async function readLedger(
  client: ClientBase,
  schema: string,
  owner?: string,
): Promise<AppliedMigration[]> {
  await requireOwnSchema(client, schema, owner);
  const isListed = await hasRelation(client, schema, LEDGER_TABLE);
  const isRecorded = await hasRelation(client, schema, 'ledger');
  if (!isListed && !isRecorded) return [];
  try {
    if (!isRecorded) return await readNames(client, schema);
    return await readRecorded(client, schema, isListed);
  } catch (cause) {
    throw ledgerFailure(schema, 'read', cause as Error);
  }
}

/**
 * Raises ForeignSchemaError unless what is in the schema is ours. To be called before anything is read there: whoever was
 * first to make a schema of that name, or may create something in it, could have his code run.
 */
export async function requireOwnSchema(
  client: ClientBase,
  schema: string,
  owner?: string,
): Promise<void> {
  const reasons = await whoElseMadeIt(client, schema, LEDGER_TABLES, owner);
  if (reasons.length === 0) return;
  const lines = await linesAgainstOthers(client, schema, LEDGER_TABLES, owner);
  throw new ForeignSchemaError(schema, reasons, lines);
}

async function readNames(client: ClientBase, schema: string): Promise<AppliedMigration[]> {
  const { rows } = await client.query<{ name: string; applied_at: Date }>(
    `SELECT name, run_on AT TIME ZONE 'UTC' AS applied_at FROM ${runnerTableName(schema)} ORDER BY id`,
  );
  return rows.map((row) => ({
    name: row.name,
    appliedAt: row.applied_at,
    record: undefined,
    isListed: true,
  }));
}

interface RecordedRow {
  name: string;
  applied_at: Date;
  release: number | null;
  up_checksum: string;
  down_checksum: string;
  drops: string[];
  breaks_older: boolean;
  in_transaction: boolean;
  package_version: string;
  applied_by: string;
  seconds: number;
  is_listed: boolean;
}

async function readRecorded(
  client: ClientBase,
  schema: string,
  isListed: boolean,
): Promise<AppliedMigration[]> {
  const listed = isListed
    ? runnerTableName(schema)
    : '(SELECT NULL::integer AS id, NULL::text AS name, NULL::timestamp AS run_on WHERE false) AS listed';
  const { rows } = await client.query<RecordedRow>(
    `SELECT name, coalesce(applied_at, run_on AT TIME ZONE 'UTC') AS applied_at, release, up_checksum, down_checksum,
            drops, breaks_older, in_transaction, package_version, applied_by, extract(epoch FROM duration)::float8 AS seconds,
            id IS NOT NULL AS is_listed
       FROM ${listed} FULL JOIN ${ledgerName(schema)} USING (name) ORDER BY id NULLS LAST, applied_at`,
  );
  return rows.map((row) => ({
    name: row.name,
    appliedAt: row.applied_at,
    record: row.release === null ? undefined : { ...recordOf(row), release: row.release },
    isListed: row.is_listed,
  }));
}

function recordOf(row: RecordedRow): Omit<MigrationRecord, 'release'> {
  return {
    packageVersion: row.package_version,
    appliedBy: row.applied_by,
    seconds: row.seconds,
    upChecksum: row.up_checksum,
    downChecksum: row.down_checksum,
    breaksOlder: row.breaks_older,
    inTransaction: row.in_transaction,
    drops: row.drops,
  };
}

export function pending<M extends { readonly name: string }>(
  applied: readonly AppliedMigration[],
  migrations: readonly M[],
): M[] {
  const names = new Set(applied.map(({ name }) => name));
  return migrations.filter(({ name }) => !names.has(name));
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
  return lockingTransaction(client, policy, () => dropEmptyLedgerWithin(client, schema));
}

/** Likewise, within the transaction that is open. */
export async function dropEmptyLedgerWithin(
  client: ClientBase,
  schema: string,
): Promise<DroppedLedger> {
  return { table: await dropTable(client, schema), schema: await dropOwnSchema(client, schema) };
}

async function dropTable(client: ClientBase, schema: string): Promise<boolean> {
  if (!(await hasRelation(client, schema, LEDGER_TABLE))) return false;
  await onLedger(client, schema, 'LOCK TABLE');
  const applied = await readLedger(client, schema);
  if (applied.length > 0) {
    throw new LedgerError(
      [
        `The ledger ${runnerTableName(schema)} still holds ${applied.map(({ name }) => shown(name)).join(', ')}, so it was kept.`,
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
  await client.query(`${command} ${runnerTableName(schema)}`).catch((cause: Error) => {
    throw ledgerFailure(schema, 'dropped', cause);
  });
}
