import type { ClientBase } from 'pg';
import type { PlaceholderValues } from '../migrations/render-sql.js';
import { plainName } from '../text/plain-name.js';
import type { LockMode } from './lock-modes.js';
import type { LockAtStake } from './plan.js';
import { type NamedRelation, relationOf } from './relation-template.js';

/** The tables that the measured locks stand for here, with what they hold. */
export async function locksAtStake(
  client: ClientBase,
  locks: Readonly<Record<string, readonly LockMode[]>>,
  values: PlaceholderValues,
): Promise<LockAtStake[]> {
  const found: LockAtStake[] = [];
  for (const [template, modes] of Object.entries(locks)) {
    const relation = relationOf(template, values);
    const sizes = await sizesOf(client, relation);
    found.push({
      relation: `${plainName(relation.schema)}.${relation.name.endsWith('*') ? relation.name : plainName(relation.name)}`,
      modes,
      ...sizes,
    });
  }
  return found;
}

async function sizesOf(
  client: ClientBase,
  { schema, name }: NamedRelation,
): Promise<Pick<LockAtStake, 'rows' | 'bytes'>> {
  const isPrefix = name.endsWith('*');
  // What PostgreSQL has never counted has -1 tuples; before version 14, none on no page.
  const { rows } = await client.query<{ rows: string | null; bytes: string | null }>(
    `SELECT sum(CASE WHEN c.reltuples < 0 OR c.relpages = 0 THEN NULL ELSE c.reltuples END)::bigint AS rows,
            sum(pg_catalog.pg_total_relation_size(c.oid))::bigint AS bytes
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
        AND CASE WHEN $3 THEN starts_with(c.relname, $2) ELSE c.relname = $2 END`,
    [schema, isPrefix ? name.slice(0, -1) : name, isPrefix],
  );
  return {
    rows: numberOrNull(rows[0]?.rows),
    bytes: numberOrNull(rows[0]?.bytes),
  };
}

function numberOrNull(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
