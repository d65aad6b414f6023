import type { ClientBase } from 'pg';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { plainName } from '../text/plain-name.js';
import { type Examined, examineObjects, type Unknown } from './examine-objects.js';
import { CONFIGURATION, type Parts } from './meaning.js';
import { type NamedDifference, nameDifference, strangersOf } from './named-difference.js';
import type { ObjectScope } from './scope.js';

export interface ObjectReport {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  /** The release that recorded last. */
  readonly release?: number;
  readonly recordedAt?: Date;
  readonly objects: number;
  readonly differences: readonly NamedDifference[];
  /** What another version of PostgreSQL prints otherwise, though it is alike as far as it can be compared. */
  readonly notCompared: readonly { readonly kind: string; readonly identity: string }[];
  /** Why nothing is known. */
  readonly unknown?: string;
  /** With `unknown`: whether nothing is wrong with that. */
  readonly isExpected?: boolean;
}

export function unknownReport(
  { stream, database, schema }: ObjectScope,
  why: Unknown,
): ObjectReport {
  return { stream, database, schema, objects: 0, differences: [], notCompared: [], ...why };
}

/** Within a transaction that may be read-only. */
export async function reportObjects(
  client: ClientBase,
  settings: Settings,
  scope: ObjectScope,
): Promise<ObjectReport> {
  const examined = await examineObjects(client, scope);
  if ('unknown' in examined) {
    const { first = [], ...why } = examined;
    const parts = partsOf(settings);
    const differences = first.map((one) => nameDifference(one, [], parts, undefined, first));
    return { ...unknownReport(scope, why), differences };
  }
  return reportOf(examined, settings, scope, await rolesOfOwner(client, scope));
}

export function reportOf(
  { head, recorded, differences, notCompared }: Examined,
  settings: Settings,
  { stream, database, schema }: ObjectScope,
  roles: ReadonlySet<string>,
): ObjectReport {
  const parts = partsOf(settings);
  const strangerOf = strangersOf(differences, (role) => roles.has(role));
  return {
    stream,
    database,
    schema,
    release: head.release,
    recordedAt: head.recordedAt,
    objects: recorded.length,
    differences: differences.map((one) =>
      nameDifference(one, recorded, parts, strangerOf(one), differences),
    ),
    notCompared: notCompared.map(({ expected: { kind, identity } }) => ({ kind, identity })),
  };
}

/** The roles whose rights the owner of the record has. */
export async function rolesOfOwner(
  client: ClientBase,
  { schema }: ObjectScope,
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT r.rolname AS role
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_roles AS r ON pg_catalog.pg_has_role(c.relowner, r.oid, 'USAGE')
      WHERE n.nspname = $1 AND c.relname = 'recorded_object'`,
    [schema],
  );
  return new Set(rows.map(({ role }) => role));
}

function partsOf(settings: Settings): Parts {
  const tables = deploymentTables(settings);
  const schema = plainName(settings.clientSchema);
  const key = (name: string) => `table ${schema}.${plainName(name)}`;
  return {
    cronRole: settings.cron.user,
    clientRole: settings.client.user,
    purposes: new Map([
      [key(tables.originalQueue), 'the queue of queries'],
      [key(tables.fragmentQueue), 'the queue of fragments'],
      [key(tables.processorConfig), CONFIGURATION],
      [key(tables.processorLog), "the processors' log"],
      [key(tables.activeJobs), 'the fragments at work'],
      [key(tables.partitionMetadata), "the cache's partition keys"],
      [key(tables.queries), "the cache's fragments"],
    ]),
    isClients: (identity) =>
      identity.startsWith(`${schema}.`) || identity.includes(` ON ${schema}.`),
  };
}
