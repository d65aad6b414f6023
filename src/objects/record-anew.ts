import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { PcacheError } from '../errors/pcache-error.js';
import { pasteable, shown } from '../errors/shown.js';
import { isTrusted } from '../migrations/trusted-owner.js';
import { recordTable } from './record.js';
import { recordObjects } from './record-objects.js';
import type { ObjectScope } from './scope.js';

/** Somebody else made what would be recorded as released. */
export class NotOursError extends PcacheError {
  override readonly name = 'NotOursError';

  constructor({ database, owner }: ObjectScope, found: readonly Named[]) {
    super(
      `In database "${database}", nothing was recorded: ${found.map((one) => `${shown(one.identity)} belongs to role "${shown(one.owner)}"`).join(', ')}.`,
      {
        remedy: `Have an administrator drop it, or, if it is of your making, run: ${found
          .map(({ identity }) =>
            pasteable(`ALTER TABLE ${identity} OWNER TO ${escapeIdentifier(owner)};`),
          )
          .join(' ')} Then run pcache-migrate verify --record-anew again.`,
      },
    );
  }
}

interface Named {
  readonly name: string;
  readonly identity: string;
  readonly owner: string;
  readonly is_trusted: boolean;
}

/**
 * Within a transaction: records what is there now in the place of what the releases left, whoever changed it. Ours in
 * the clients' schema is what the migrations, whose SQL this is, name there. Raises NotOursError where another role has
 * a table or view of such a name.
 */
export async function recordAnew(
  client: ClientBase,
  scope: ObjectScope,
  release: number,
  sql: readonly string[],
): Promise<void> {
  const roots = await rootsNamedIn(client, scope, sql.join('\n'));
  await client.query(`DELETE FROM ${recordTable(scope.schema, 'recorded_object')}`);
  await client.query(`DELETE FROM ${recordTable(scope.schema, 'recording')}`);
  await recordObjects(client, scope, { release, before: [], inOneTransaction: false, roots });
}

async function rootsNamedIn(
  client: ClientBase,
  scope: ObjectScope,
  sql: string,
): Promise<string[]> {
  const { schema, clientSchema } = scope;
  if (clientSchema === undefined) return [];
  const { rows } = await client.query<Named>(
    `WITH own AS (
       SELECT c.oid, c.relname::text AS name,
              pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity,
              pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, ${isTrusted('c.relowner')} AS is_trusted
         FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
     )
     SELECT name, identity, owner, is_trusted FROM own
     UNION ALL
     SELECT own.name, pg_catalog.format('%I.%I', $1::text, s.relname), own.owner, own.is_trusted
       FROM own JOIN pg_catalog.pg_depend AS d ON d.refobjid = own.oid AND d.deptype IN ('a', 'i')
       JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
     UNION ALL
     SELECT p.proname::text, pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                                               pg_catalog.oidvectortypes(p.proargtypes)),
            current_user::text, true
       FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND pg_catalog.pg_get_userbyid(p.proowner) = current_user`,
    [clientSchema],
  );
  const place = escapeIdentifier(clientSchema);
  const isNamed = (name: string) =>
    [name, escapeIdentifier(name)].some((one) =>
      new RegExp(`${literally(`${place}.${one}`)}(?!\\w)`).test(sql),
    );
  const named = rows.filter(({ name }) => isNamed(name));
  const others = named.filter(({ is_trusted }) => !is_trusted);
  if (others.length > 0) throw new NotOursError(scope, others);
  const extensions = (await hasRelation(client, schema, 'created_extension'))
    ? await client.query<{ identity: string }>(
        `SELECT pg_catalog.quote_ident(extension_name) AS identity
           FROM ${escapeIdentifier(schema)}.created_extension`,
      )
    : { rows: [] };
  return [...named, ...extensions.rows].map(({ identity }) => identity);
}

function literally(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}
