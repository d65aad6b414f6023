import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import type { AppliedMigration } from '../migrations/ledger.js';

/** What a release ran, as the ledger recorded it. */
export interface ReleasedSql {
  readonly name: string;
  readonly upChecksum: string;
  readonly downChecksum: string;
  readonly up: string;
  readonly down: string;
  /** Of its rollback. */
  readonly inTransaction: boolean;
  readonly drops: readonly string[];
}

/** Of the applied migrations, in their order; those without a record are left out. */
export async function readReleasedSql(
  client: ClientBase,
  schema: string,
  applied: readonly AppliedMigration[],
): Promise<ReleasedSql[]> {
  if (!(await hasRelation(client, schema, 'ledger'))) return [];
  const { rows } = await client.query<ReleasedSql>(
    `SELECT name, up_checksum AS "upChecksum", down_checksum AS "downChecksum",
            up_sql AS up, down_sql AS down, in_transaction AS "inTransaction", drops
       FROM ${escapeIdentifier(schema)}.ledger`,
  );
  return applied.flatMap(({ name }) => rows.find((row) => row.name === name) ?? []);
}
