import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { RECORD_ANEW } from '../migrations/judge-ledger.js';
import { type Comparison, compareObjects, type ObjectDifference } from './compare.js';
import { digestOf } from './digest.js';
import { listObjects, NOBODY, parameters } from './list-objects.js';
import { listingSql } from './listing/listing-sql.js';
import { findingMovedTables } from './moved-tables.js';
import { recordsOfNeighbours } from './neighbours.js';
import { printingAlike } from './printing.js';
import {
  FORMAT,
  isIntact,
  type RecordedObject,
  type RecordHead,
  readRecordedObjects,
  readRecordHead,
  readRoots,
  recordState,
  serverVersion,
} from './record.js';
import { renamedRecordColumns } from './record-columns.js';
import { namingRenamedRoles } from './renamed-roles.js';
import { rowDifferences } from './required-rows.js';
import type { ObjectScope } from './scope.js';

export interface Examined extends Comparison {
  readonly head: RecordHead;
  readonly recorded: readonly RecordedObject[];
}

/** Why nothing can be said of the objects. */
export interface Unknown {
  readonly unknown: string;
  /** Whether nothing is wrong with that: no release has recorded yet, or another version of the package did. */
  readonly isExpected: boolean;
  /** What has to be put right before anything else can be looked at. */
  readonly first?: readonly ObjectDifference[];
}

/** Within a transaction that may be read-only: how what is there differs from what the releases recorded. */
export async function examineObjects(
  client: ClientBase,
  scope: ObjectScope,
): Promise<Examined | Unknown> {
  const head = await readableHead(client, scope);
  return 'unknown' in head ? head : examineBy(client, scope, head);
}

async function examineBy(
  client: ClientBase,
  scope: ObjectScope,
  head: RecordHead,
): Promise<Examined> {
  const recorded = await readRecordedObjects(client, scope.schema);
  const comparison = compareObjects({
    expected: recorded,
    found: await listObjects(client, scope, await readRoots(client, scope.schema)),
    ofOthers: await recordsOfNeighbours(client, scope),
    serverVersionNum: await serverVersion(client),
  });
  const compared = comparison.differences.filter((one) => !isOfReader(one, scope.reader));
  const renamed = await namingRenamedRoles(
    client,
    await findingMovedTables(client, scope, recorded, compared),
  );
  const differences = [...renamed, ...(await rowDifferences(client, scope))];
  return { head, recorded, ...comparison, differences };
}

/** What a role that plans needs is given to it by whoever sets it up, and by no release. */
function isOfReader(
  { kind, identity, problem, found }: ObjectDifference,
  reader: string | undefined,
): boolean {
  if (reader === undefined || kind !== 'grant' || problem !== 'unexpected') return false;
  const isTo = [reader, escapeIdentifier(reader)].some((role) => identity.endsWith(` TO ${role}`));
  return isTo && /^(?:SELECT|USAGE)$/.test(found?.definition ?? '');
}

export type ObjectsChanged = { readonly changed: boolean } | Unknown;

/**
 * Within a transaction that may be read-only: whether examineObjects would find something. Where nothing has changed
 * the server says so in one row; only else the definitions are compared one by one.
 */
export async function objectsChanged(
  client: ClientBase,
  scope: ObjectScope,
): Promise<ObjectsChanged> {
  const head = await readableHead(client, scope);
  if ('unknown' in head) return head;
  const roots = await readRoots(client, scope.schema);
  const found = await printingAlike(client, () =>
    client.query<{ digest: string }>(digestOf(listingSql(NOBODY)), parameters(scope, roots)),
  );
  if (found.rows[0]?.digest === head.digest) {
    return { changed: (await rowDifferences(client, scope)).length > 0 };
  }
  const { differences, notCompared } = await examineBy(client, scope, head);
  if (differences.length > 0) return { changed: true };
  return notCompared.length > 0
    ? {
        unknown: `${notCompared.length} definitions are printed differently by this version of PostgreSQL`,
        isExpected: true,
      }
    : { changed: false };
}

const RESTORE_IT = `Restore its tables recorded_object and recording from a backup; or, if what is there now may count as released: ${RECORD_ANEW}`;

async function readableHead(
  client: ClientBase,
  { schema, database }: ObjectScope,
): Promise<RecordHead | Unknown> {
  const where = `schema "${schema}" of database "${database}"`;
  const { exists, isPlain, isReadable } = await recordState(client, schema);
  if (!exists && (await hasRelation(client, schema, 'ledger'))) {
    return {
      unknown: `The record in ${where} is gone, so nothing can be compared with it. ${RESTORE_IT}`,
      isExpected: false,
    };
  }
  if (!exists)
    return {
      unknown: `No release has recorded its objects in ${where}: run pcache-migrate up.`,
      isExpected: true,
    };
  if (!isPlain) {
    return {
      unknown: `The record in ${where} is not as a release made it, and is not read.`,
      isExpected: false,
    };
  }
  if (!isReadable) {
    return { unknown: `This role may not read the record in ${where}.`, isExpected: false };
  }
  const first = await renamedRecordColumns(client, schema);
  if (first.length > 0) {
    const names = first.map(({ identity, found }) => `${found?.identity} was ${identity}`);
    return {
      unknown: `Columns of the record in ${where} were renamed, so nothing can be compared with it: ${names.join(', ')}. Put that right with: pcache-migrate verify --fix`,
      isExpected: false,
      first,
    };
  }
  const head = await readRecordHead(client, schema);
  if (head === undefined) {
    return { unknown: `The record in ${where} is empty. ${RESTORE_IT}`, isExpected: false };
  }
  if (!(await isIntact(client, schema, head))) {
    return {
      unknown: `The record in ${where} is not as the last release wrote it, so nothing can be compared with it. ${RESTORE_IT}`,
      isExpected: false,
    };
  }
  if (head.format !== FORMAT) {
    return {
      unknown: `The record in ${where} was made by another version of pcache-migrate, which reads definitions in another way.`,
      isExpected: true,
    };
  }
  return head;
}
