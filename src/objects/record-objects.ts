import type { ClientBase } from 'pg';
import { LEDGER_TABLE } from '../migrations/ledger.js';
import { listObjects, listWrittenObjects, type OwnTransaction } from './list-objects.js';
import type { ListedObject } from './listed-object.js';
import { nextRecord } from './next-record.js';
import {
  FORMAT,
  isIntact,
  type RecordedObject,
  readRecordedObjects,
  readRecordHead,
  readRoots,
  recordDigest,
  recordState,
  recordTable,
  serverVersion,
} from './record.js';
import { rootsWritten } from './roots.js';
import type { ObjectScope } from './scope.js';

export interface Recording {
  readonly release: number;
  /** What `objectsBefore` found at the beginning of the transaction. */
  readonly before: readonly ListedObject[];
  /** False after steps that PostgreSQL runs outside of a transaction only; default: true. */
  readonly inOneTransaction?: boolean;
  /** The tables of the clients' schema that were rolled back. */
  readonly dropped?: readonly string[];
  /** The identities of what is ours in the clients' schema beside what is recorded. */
  readonly roots?: readonly string[];
}

/** Within the transaction of a release, before its first step: what there is of ours. */
export async function objectsBefore(
  client: ClientBase,
  scope: ObjectScope,
): Promise<ListedObject[]> {
  const { exists } = await recordState(client, scope.schema);
  return listObjects(client, scope, exists ? await readRoots(client, scope.schema) : []);
}

/**
 * Within the transaction of a release, after its last step: records what this transaction made, changed or dropped.
 * Does nothing when the record itself was rolled back.
 */
export async function recordObjects(
  client: ClientBase,
  scope: ObjectScope,
  { release, before, inOneTransaction = true, dropped = [], roots: more = [] }: Recording,
): Promise<void> {
  if (!(await recordState(client, scope.schema)).exists) return;
  const head = await readRecordHead(client, scope.schema);
  const recorded = await readRecordedObjects(client, scope.schema);
  const wasIntact =
    head === undefined ? recorded.length === 0 : await isIntact(client, scope.schema, head);
  const transaction = await beginRecording(client, scope, release);
  const roots = [
    ...more,
    ...(await readRoots(client, scope.schema)),
    ...(await rootsWritten(client, scope, transaction)),
  ];
  const after = await listWrittenObjects(client, scope, roots, transaction);
  const [runnerTable = ''] = await identities(client, scope.schema, [LEDGER_TABLE]);
  await write(
    client,
    scope,
    nextRecord({
      recorded,
      before,
      after,
      inOneTransaction,
      isOtherFormat: head !== undefined && head.format !== FORMAT,
      serverVersionNum: await serverVersion(client),
      dropped: await identities(client, scope.clientSchema ?? scope.schema, dropped),
      runnerTable,
    }),
  );
  // What somebody changed in the record before must not pass for a release's: it stays without its digest.
  if (wasIntact) await writeDigest(client, scope);
}

async function identities(
  client: ClientBase,
  schema: string,
  tables: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ identity: string }>(
    `SELECT pg_catalog.format('%I.%I', $1::text, name) AS identity
       FROM pg_catalog.unnest($2::text[]) AS name`,
    [schema, tables],
  );
  return rows.map(({ identity }) => identity);
}

/**
 * Writes the one row, in a subtransaction of its own: no other of this transaction has a newer number, so that a row
 * with a number from ours up to this one, and in progress, can only be of our making.
 */
async function beginRecording(
  client: ClientBase,
  { schema }: ObjectScope,
  release: number,
): Promise<OwnTransaction> {
  const recording = recordTable(schema, 'recording');
  await client.query('SAVEPOINT recording');
  await client.query(
    `INSERT INTO ${recording} (release, format, digest, recorded_at)
     VALUES ($1, $2, '', pg_catalog.clock_timestamp())
     ON CONFLICT (only_row) DO UPDATE
       SET release = excluded.release, format = excluded.format, digest = excluded.digest,
           recorded_at = excluded.recorded_at`,
    [release, FORMAT],
  );
  await client.query('RELEASE SAVEPOINT recording');
  const { rows } = await client.query<OwnTransaction>(
    `SELECT pg_catalog.txid_current()::text AS id, xmin::text AS newest FROM ${recording}`,
  );
  if (rows[0] === undefined) throw new Error('the row that was just written is not there');
  return rows[0];
}

/** Replaces the record's rows. */
async function write(
  client: ClientBase,
  { schema }: ObjectScope,
  objects: readonly RecordedObject[],
): Promise<void> {
  const table = recordTable(schema, 'recorded_object');
  await client.query(`DELETE FROM ${table}`);
  await client.query(
    `INSERT INTO ${table}
       (kind, identity, parents, definition, verbatim, position, server_version_num)
     SELECT kind, identity, parents, definition, verbatim, position, "serverVersionNum"
       FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS object (
         kind text, identity text, parents text[], definition text, verbatim text, position bigint,
         "serverVersionNum" integer)`,
    [JSON.stringify(objects)],
  );
}

export async function writeDigest(client: ClientBase, { schema }: ObjectScope): Promise<void> {
  await client.query(
    `UPDATE ${recordTable(schema, 'recording')} SET digest = (${recordDigest(schema)})`,
  );
}
