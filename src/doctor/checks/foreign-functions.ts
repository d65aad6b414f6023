import { type ClientBase, escapeIdentifier } from 'pg';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { pasteable } from '../../errors/shown.js';
import type { Migration } from '../../migrations/read-migrations.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

/** What others made under the name of a function of the clients' contract runs with the clients' rights. */
export const foreignFunctions: DoctorCheck = {
  id: 'foreign-functions',
  title: "clients' functions of others",
  needs: ['work-migrations', 'client-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { migrations, pending } = await readStreamPlan(client, settings, 'work');
    // Where an aggregate is already, `up` would not make its own.
    const inTheWay = await madeByOthers(client, settings, names(pending, settings, ['AGGREGATE']));
    const beside = (
      await madeByOthers(client, settings, names(migrations, settings, ['FUNCTION', 'AGGREGATE']))
    ).filter(({ owner }) => owner !== settings.client.user);
    const found = inTheWay.length > 0 ? inTheWay : beside;
    if (found.length === 0) return ok('none');
    return (inTheWay.length > 0 ? failed : warning)(
      `in schema "${settings.clientSchema}" of database "${settings.work.database}", clients may call these with their own rights: ` +
        found.map(({ signature, owner }) => `${signature} of role "${owner}"`).join('; '),
      text(
        'owner of the schema',
        'Find out who made them and why, then:',
        ...found.map(({ kind, signature }) => `  DROP ${kind} ${pasteable(signature)};`),
        ...(inTheWay.length > 0
          ? [
              "Unless they belong to a set-up of PartitionCache's own tool: pcache-migrate adopt takes it over, them included.",
            ]
          : []),
      ),
    );
  },
};

interface ForeignFunction {
  readonly signature: string;
  readonly kind: string;
  readonly owner: string;
}

/** Neither ours nor a superuser's, to whom those of extensions belong. */
async function madeByOthers(
  client: ClientBase,
  { clientSchema, work }: Settings,
  named: readonly string[],
): Promise<ForeignFunction[]> {
  const { rows } = await client.query<ForeignFunction>(
    `SELECT p.oid::regprocedure::text AS signature, r.rolname::text AS owner,
            CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       JOIN pg_roles r ON r.oid = p.proowner
      WHERE n.nspname = $1 AND p.proname = ANY ($2)
        AND NOT r.rolsuper AND NOT pg_has_role($3::name, p.proowner, 'USAGE')
      ORDER BY 1`,
    [clientSchema, named, work.user],
  );
  return rows;
}

/** Of the functions in the clients' schema that the migrations make. */
function names(
  migrations: readonly Migration[],
  { clientSchema }: Settings,
  kinds: readonly ('FUNCTION' | 'AGGREGATE')[],
): string[] {
  const heads = kinds.map((kind) => `${kind} ${escapeIdentifier(clientSchema)}.`);
  return migrations
    .flatMap(({ up }) => up.statements)
    .flatMap(({ text: statement }) => heads.flatMap((head) => statement.split(head).slice(1)))
    .flatMap((rest) => /^\w+/.exec(rest)?.[0] ?? []);
}
