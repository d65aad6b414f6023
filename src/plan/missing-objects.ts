import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { LEDGER_TABLES } from '../migrations/ledger.js';
import type { Migration } from '../migrations/read-migrations.js';
import { plainName } from '../text/plain-name.js';
import { type CreatedObject, createdObjects } from './created-objects.js';

/** What a migration made that is not there. */
export interface MissingObject {
  readonly database: string;
  readonly kind: CreatedObject['kind'];
  /** As SQL has it; `… on table` of a trigger. */
  readonly identity: string;
  readonly migration: string;
  /** What makes it. */
  readonly statement: string;
  /** Once all are there: what gives it its rights, comments, indexes and constraints. */
  readonly after: readonly string[];
}

/** What would be recorded as released lacks what the releases made. */
export class MissingObjectsError extends PcacheError {
  override readonly name = 'MissingObjectsError';
  readonly missing: readonly MissingObject[];

  constructor(missing: readonly MissingObject[]) {
    super(
      `Nothing was recorded, since this is missing of what the migrations made:\n${missing
        .map(
          ({ database, kind, identity, migration }) =>
            `  in database "${database}": ${kind} ${shown(identity)} (${migration})`,
        )
        .join('\n')}`,
      {
        remedy:
          'Restore the database from a backup. Or run the statement that makes each, as the role that deploys there; of a column, add it to its table; and then what gives each its rights, comments and indexes: pcache-migrate verify --record-anew --json prints them, in their order, as statement and after in error.missing. Then run pcache-migrate verify --record-anew again.',
      },
    );
    this.missing = missing;
  }
}

/** Of what the migrations create by name: what is gone. Without the tables of the ledger and the record, which are written anew. */
export async function missingObjects(
  client: ClientBase,
  { database, schema }: { readonly database: string; readonly schema: string },
  migrations: readonly Migration[],
): Promise<MissingObject[]> {
  const created = createdObjects(migrations).filter(
    (object) => object.schema !== schema || !LEDGER_TABLES.includes(object.name),
  );
  const isThere = await whichExist(client, created);
  const gone = created.filter((_, index) => isThere[index] !== true);
  // The columns of something that is gone come with it.
  return gone
    .filter(
      ({ kind, schema, name }) =>
        kind !== 'column' ||
        !gone.some((whole) => !whole.part && whole.schema === schema && whole.name === name),
    )
    .map((object) => ({
      database,
      kind: object.kind,
      identity: identityOf(object),
      migration: object.migration,
      statement: object.statement,
      after: object.after,
    }));
}

function identityOf({ kind, schema, name, part }: CreatedObject): string {
  const whole = `${plainName(schema)}.${plainName(name)}`;
  if (part === undefined) return whole;
  return kind === 'trigger' ? `${plainName(part)} on ${whole}` : `${whole}.${plainName(part)}`;
}

async function whichExist(
  client: ClientBase,
  objects: readonly CreatedObject[],
): Promise<boolean[]> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT CASE wanted.kind
              WHEN 'routine' THEN EXISTS (SELECT FROM pg_catalog.pg_proc AS p
                                           WHERE p.pronamespace = n.oid AND p.proname = wanted.name)
              WHEN 'type' THEN EXISTS (SELECT FROM pg_catalog.pg_type AS t
                                        WHERE t.typnamespace = n.oid AND t.typname = wanted.name)
              WHEN 'view' THEN c.relkind IN ('v', 'm')
              WHEN 'table' THEN c.relkind IN ('r', 'p')
              WHEN 'trigger' THEN EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                                           WHERE t.tgrelid = c.oid AND t.tgname = wanted.part)
              ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                            WHERE a.attrelid = c.oid AND a.attname = wanted.part AND NOT a.attisdropped)
            END AS found
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
              WITH ORDINALITY AS wanted (kind, schema, name, part, number)
       LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
       LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.name
      ORDER BY wanted.number`,
    [
      objects.map(({ kind }) => kind),
      objects.map(({ schema }) => schema),
      objects.map(({ name }) => name),
      objects.map(({ part }) => part ?? ''),
    ],
  );
  return rows.map(({ found }) => found);
}
