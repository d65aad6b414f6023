import type { ClientBase } from 'pg';
import type { ObjectDifference } from './compare.js';
import { columnOf, qualifiedName } from './identity.js';
import { keyOf } from './listed-object.js';
import type { RecordedObject } from './record.js';
import { isOfAnotherMake } from './renamed.js';
import type { ObjectScope } from './scope.js';

/**
 * The differences, with one for each table of the clients' schema that something else is in the place of. What differs
 * in that follows from it. Where the table is still there, under a name that is none of ours, it has the rows.
 */
export async function findingMovedTables(
  client: ClientBase,
  { clientSchema, owner }: ObjectScope,
  recorded: readonly RecordedObject[],
  differences: readonly ObjectDifference[],
): Promise<ObjectDifference[]> {
  const gone = differences.filter((one) => isAnother(one, clientSchema));
  const moved = new Map<string, ObjectDifference>();
  for (const one of gone) {
    const now = await nameOfNow(client, one, owner, recorded);
    if (now !== undefined) moved.set(keyOf(one), movedTo(one, now));
  }
  const roots = new Set([...moved.keys(), ...gone.filter(isOfAnotherMake).map(keyOf)]);
  const follow = followersOf(roots, differences);
  return differences
    .filter((one) => roots.has(keyOf(one)) || !follow.has(keyOf(one)))
    .map((one) => moved.get(keyOf(one)) ?? one);
}

/** A table of the clients' that is not there, or is not the one that the releases made. */
function isAnother(
  { kind, identity, expected, found }: ObjectDifference,
  clientSchema: string | undefined,
): boolean {
  return (
    kind === 'table' &&
    expected !== undefined &&
    expected.position !== found?.position &&
    qualifiedName(identity)?.schema === clientSchema
  );
}

/** As the listing numbers objects: so many parts for each. */
const PARTS = 2048;

/** Undefined where there is no table of our owner with its number in the catalogue and its columns. */
async function nameOfNow(
  client: ClientBase,
  { identity, expected }: ObjectDifference,
  owner: string,
  recorded: readonly RecordedObject[],
): Promise<string | undefined> {
  const columns = recorded
    .filter(({ kind, parents }) => kind === 'column' && parents[0] === `table ${identity}`)
    .map((column) => columnOf(column.identity).name);
  const { rows } = await client.query<{ now: string }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS now
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.oid::bigint = $1::bigint / $5 AND c.relkind = 'r' AND pg_catalog.pg_get_userbyid(c.relowner) = $2
        AND n.nspname = $4
        AND ARRAY(SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
                   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) @> $3::text[]`,
    [expected?.position, owner, columns, qualifiedName(identity)?.schema, PARTS],
  );
  return rows[0]?.now;
}

function movedTo({ expected, found, ...one }: ObjectDifference, now: string): ObjectDifference {
  const definition = expected?.definition ?? '';
  const there = {
    kind: 'table',
    identity: now,
    parents: [],
    definition,
    verbatim: null,
    position: expected?.position ?? 0,
    written: false,
    rewritten: false,
    // Who has to make room for it.
    owner: found?.owner ?? null,
  };
  return { ...one, problem: 'changed', expected, found: there, inItsPlace: found };
}

/** The keys of what is part of these, or of what is part of that. */
function followersOf(
  keys: ReadonlySet<string>,
  differences: readonly ObjectDifference[],
): ReadonlySet<string> {
  const parts = new Set(keys);
  for (let known = -1; known < parts.size; ) {
    known = parts.size;
    for (const one of differences) {
      const parents = [...(one.expected?.parents ?? []), ...(one.found?.parents ?? [])];
      if (parents.some((key) => parts.has(key))) parts.add(keyOf(one));
    }
  }
  return parts;
}
