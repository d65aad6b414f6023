import { type ClientBase, escapeIdentifier } from 'pg';
import { readStreamPlan, type StreamPlan } from '../../deployment/stream-plan.js';
import { pasteable } from '../../errors/shown.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { list } from '../wording.js';

export const clientFunctions: DoctorCheck = {
  id: 'client-functions',
  title: "clients' functions",
  needs: ['work-migrations', 'client-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const names = functionsReplaced(await readStreamPlan(client, settings, 'work'), settings);
    const foreign = await ownedByOthers(client, settings, names);
    if (foreign.length === 0) return ok('yes');
    const owners = [...new Set(foreign.map(({ owner }) => owner))];
    return failed(
      `in schema "${settings.clientSchema}" of database "${settings.work.database}", ${foreign.length} of them belong to role ${list(owners)}, ` +
        `so role "${settings.work.user}" may not replace them: ${foreign.map(({ signature }) => signature).join('; ')}`,
      // Not as SQL to run: another deployment may have made them. Nor as lines that make them ours: whoever
      // may CREATE there can put a function in our way, and we would run it or be run by it.
      text(
        'administrator',
        "If they belong to a set-up of PartitionCache's own tool, pcache-migrate adopt takes it over, them included.",
        `If another deployment made them, choose another PCACHE_CLIENT_SCHEMA, or deploy as its migrator.`,
        `If neither, find out who did, and drop them in database "${settings.work.database}":`,
        ...foreign.map(({ signature }) => `  DROP FUNCTION ${pasteable(signature)};`),
      ),
    );
  },
};

/** The functions that pending migrations create or replace. Only the owner of an existing function may replace it. */
function functionsReplaced({ pending }: StreamPlan, { clientSchema }: Settings): string[] {
  const head = `CREATE OR REPLACE FUNCTION ${escapeIdentifier(clientSchema)}.`;
  return pending
    .flatMap(({ up }) => up.statements)
    .flatMap((statement) => statement.text.split(head).slice(1))
    .flatMap((rest) => /^\w+/.exec(rest)?.[0] ?? []);
}

interface ForeignFunction {
  signature: string;
  owner: string;
}

async function ownedByOthers(
  client: ClientBase,
  { clientSchema, work }: Settings,
  names: readonly string[],
): Promise<ForeignFunction[]> {
  const { rows } = await client.query<ForeignFunction>(
    `SELECT p.oid::regprocedure::text AS signature, pg_get_userbyid(p.proowner)::text AS owner
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND p.proname = ANY ($2) AND NOT pg_has_role($3::name, p.proowner, 'USAGE')
      ORDER BY 1`,
    [clientSchema, names, work.user],
  );
  return rows;
}
