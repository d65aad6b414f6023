import { type ClientBase, escapeIdentifier } from 'pg';
import { hasSchema } from '../database/catalogue.js';
import { LedgerError, ledgerFailure } from './ledger-error.js';
import { isTrusted } from './trusted-owner.js';

/**
 * Creates the schema unless it is there. Raises LedgerError for one that somebody else owns: that role could replace
 * whatever is deployed in it. Not CREATE SCHEMA IF NOT EXISTS, which would take what was created a moment ago.
 */
export async function provideSchema(client: ClientBase, schema: string): Promise<void> {
  if (await hasSchema(client, schema)) return requireTrustedOwner(client, schema);
  await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`).catch((cause: Error) => {
    throw ledgerFailure(schema, 'written', cause);
  });
}

async function requireTrustedOwner(client: ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT pg_catalog.pg_get_userbyid(n.nspowner) AS owner
       FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1 AND NOT ${isTrusted('n.nspowner')}`,
    [schema],
  );
  if (rows[0] === undefined) return;
  throw new LedgerError(
    [
      `The schema ${escapeIdentifier(schema)} belongs to role "${rows[0].owner}", which could replace whatever is deployed in it.`,
    ],
    { remedy: 'Choose another schema; or have an administrator drop it, if nobody needs it.' },
  );
}
