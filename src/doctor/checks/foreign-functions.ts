import { escapeIdentifier } from 'pg';
import { readStreamPlan, type StreamPlan } from '../../deployment/stream-plan.js';
import type { Settings } from '../../settings/settings.js';
import { ok, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

/** What others made under the name of a function of the clients' contract runs with the clients' rights. */
export const foreignFunctions: DoctorCheck = {
  id: 'foreign-functions',
  title: "clients' functions of others",
  needs: ['work-migrations', 'client-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { rows } = await client.query<{ signature: string; kind: string; owner: string }>(
      `SELECT p.oid::regprocedure::text AS signature, pg_get_userbyid(p.proowner)::text AS owner,
              CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         JOIN pg_roles r ON r.oid = p.proowner
        WHERE n.nspname = $1 AND p.proname = ANY ($2)
          AND NOT r.rolsuper AND r.rolname <> $3 AND NOT pg_has_role(p.proowner, 'USAGE')
        ORDER BY 1`,
      [
        settings.clientSchema,
        contractFunctions(await readStreamPlan(client, settings, 'work'), settings),
        settings.client.user,
      ],
    );
    if (rows.length === 0) return ok('none');
    return warning(
      `in schema "${settings.clientSchema}" of database "${settings.work.database}", clients may call these with their own rights: ` +
        rows.map(({ signature, owner }) => `${signature} of role "${owner}"`).join('; '),
      text(
        'owner of the schema',
        'Find out who made them and why, then:',
        ...rows.map(({ kind, signature }) => `  DROP ${kind} ${signature};`),
      ),
    );
  },
};

function contractFunctions({ migrations }: StreamPlan, { clientSchema }: Settings): string[] {
  const heads = ['FUNCTION', 'AGGREGATE'].map(
    (kind) => `${kind} ${escapeIdentifier(clientSchema)}.`,
  );
  return migrations
    .flatMap(({ up }) => up.statements)
    .flatMap(({ text: statement }) => heads.flatMap((head) => statement.split(head).slice(1)))
    .flatMap((rest) => /^\w+/.exec(rest)?.[0] ?? []);
}
