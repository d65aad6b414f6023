import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { shown } from '../errors/shown.js';
import { LEDGER_TABLE, ledgerName } from './ledger.js';
import { LedgerError, ledgerFailure } from './ledger-error.js';
import type { Migration, MigrationScript } from './read-migrations.js';
import { splitStatements } from './split-statements.js';
import { whoElseMayWrite } from './who-else-may-write.js';

/** Which release a migration is applied by. */
export interface AppliedBy {
  /** The number of the release. */
  readonly release: number;
  readonly packageVersion: string;
}

/** Adds a migration that has just run to the ledger, as it was run. */
export async function recordMigration(
  client: ClientBase,
  schema: string,
  { name, up, down, drops, breaksOlder }: Migration,
  { release, packageVersion }: AppliedBy,
  seconds: number,
): Promise<void> {
  await client
    .query(
      `INSERT INTO ${ledgerName(schema)}
         (name, release, up_checksum, down_checksum, up_sql, down_sql, drops, breaks_older,
          in_transaction, package_version, duration)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, make_interval(secs => $11))`,
      [
        name,
        release,
        up.checksum,
        down.checksum,
        up.sql,
        down.sql,
        drops,
        breaksOlder,
        down.inTransaction,
        packageVersion,
        seconds,
      ],
    )
    .catch((cause: Error) => {
      throw ledgerFailure(schema, 'written', cause);
    });
}

/** Takes a migration that was rolled back out of the ledger, unless the ledger went with it. */
export async function forgetMigration(
  client: ClientBase,
  schema: string,
  name: string,
): Promise<void> {
  if (!(await hasRelation(client, schema, 'ledger'))) return;
  await client.query(`DELETE FROM ${ledgerName(schema)} WHERE name = $1`, [name]);
}

/**
 * What takes each applied migration back, as it was recorded when it was applied. Raises LedgerError if somebody
 * else could have written it.
 */
export async function readRecordedDowns(
  client: ClientBase,
  schema: string,
): Promise<Map<string, MigrationScript>> {
  await requireOwnLedger(client, schema);
  const { rows } = await client.query<{
    name: string;
    down_sql: string;
    down_checksum: string;
    in_transaction: boolean;
  }>(`SELECT name, down_sql, down_checksum, in_transaction FROM ${ledgerName(schema)}`);
  return new Map(
    rows.map((row) => [
      row.name,
      {
        file: `${escapeIdentifier(schema)}.ledger (${row.name}, down_sql)`,
        sql: row.down_sql,
        statements: splitStatements(row.down_sql),
        checksum: row.down_checksum,
        inTransaction: row.in_transaction,
      },
    ]),
  );
}

// What is recorded is about to run with our rights.
async function requireOwnLedger(client: ClientBase, schema: string): Promise<void> {
  const reasons = await whoElseMayWrite(client, schema, [LEDGER_TABLE, 'ledger']);
  if (reasons.length === 0) return;
  throw new LedgerError(
    [
      `What the ledger in schema ${escapeIdentifier(schema)} recorded is not run, since others may have written it: ${reasons.map(shown).join('; ')}.`,
    ],
    {
      remedy:
        'Take that away as the owner of the schema, then read the column down_sql of its table ledger, and only then roll back.',
    },
  );
}
