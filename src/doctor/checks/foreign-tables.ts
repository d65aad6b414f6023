import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRoutine } from '../../database/catalogue.js';
import { clientName, ownName } from '../../deployment/own-names.js';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import { pasteable } from '../../errors/shown.js';
import { LOOK_BEFORE } from '../../objects/named-difference.js';
import { nameAside } from '../../objects/renamed.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { readDeployments } from '../deployment-record.js';
import { clientOf } from '../reach.js';
import { quoted } from '../wording.js';

interface ForeignTable {
  readonly name: string;
  /** `TABLE`, `VIEW` …, as DROP calls it. */
  readonly kind: string;
  readonly parts: readonly string[];
}

/** What somebody else made under a name of ours, or hung on a table of ours, would run with our rights. */
export const foreignTables: DoctorCheck = {
  id: 'foreign-tables',
  title: 'tables that are as we made them',
  needs: ['work-schema', 'work-migrations', 'client-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    if (!(await hasRoutine(client, settings.schema, 'foreign_parts'))) {
      return ok('not deployed yet');
    }
    const foreign = await findForeign(client, settings);
    if (foreign.length === 0) return ok('all');
    // A cache table concerns its own fragments alone; and whoever may CREATE there must not stop every deployment.
    const finding = foreign.every(({ name }) => isCacheTable(settings, name)) ? warning : failed;
    return finding(
      `in schema "${settings.clientSchema}" of database "${settings.work.database}", not used because of what would run with the rights of whoever uses it: ` +
        foreign.map(({ name, parts }) => `${quoted(name)} (${parts.join(', ')})`).join('; '),
      text(
        'owner of the schema',
        'Find out who made them and why, then:',
        ...foreign.flatMap((table) => dropLines(settings, table)),
        'Grant nothing to their owners, and let as few roles as can be CREATE in that schema.',
      ),
    );
  },
};

function isCacheTable({ tablePrefix }: Settings, name: string): boolean {
  return name.startsWith(`${tablePrefix}_cache_`);
}

/** Of a table of ours only what somebody else put on it, where that can be dropped by itself: its rows are ours. */
function dropLines(settings: Settings, table: ForeignTable): string[] {
  const lines = table.parts.map((part) => partLine(clientName(settings, table.name), part));
  const isOurs = !table.parts.some((part) => part.startsWith('owner '));
  return isOurs && lines.every((line) => line !== undefined) ? lines : [wholeLine(settings, table)];
}

function partLine(table: string, part: string): string | undefined {
  const [, kind = '', name = ''] = /^(trigger|rule|policy) (.+)$/s.exec(part) ?? [];
  if (part === 'row security') {
    return pasteable(`  ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY;`);
  }
  return kind === '' ? undefined : pasteable(`  DROP ${kind.toUpperCase()} ${name} ON ${table};`);
}

/** Of a table that the processor does not make anew by itself, the rows are kept, as verify keeps them. */
function wholeLine(settings: Settings, { name, kind, parts }: ForeignTable): string {
  const table = pasteable(clientName(settings, name));
  if (isCacheTable(settings, name))
    return `  DROP ${kind} ${table}; -- the processor makes its own`;
  if (kind === 'TABLE' && parts.every((part) => part.startsWith('owner '))) {
    const owner = escapeIdentifier(settings.work.user);
    return `  ALTER TABLE ${table} OWNER TO ${owner}; -- keeps its rows, and what is queued there is SQL; ${LOOK_BEFORE}`;
  }
  return `  ALTER ${kind} ${table} RENAME TO ${pasteable(nameAside(name))}; -- keeps its rows; then pcache-migrate verify says what has to be in its place`;
}

async function findForeign(client: ClientBase, settings: Settings): Promise<ForeignTable[]> {
  const deployments = (await readDeployments(client)).flatMap(({ deployment }) => deployment ?? []);
  const others = deployments
    .filter(
      (row) =>
        row.client_schema === settings.clientSchema && row.table_prefix !== settings.tablePrefix,
    )
    .map((row) => ({ queuePrefix: row.queue_prefix, tablePrefix: row.table_prefix }));
  const { rows } = await client.query<ForeignTable>(
    `SELECT c.relname::text AS name,
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                           WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind,
            array_agg(found.part ORDER BY found.part) AS parts
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
            LATERAL ${ownName(settings, 'foreign_parts')}(ARRAY[c.oid]) AS found
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (c.relname = ANY ($2) OR starts_with(c.relname, $3))
        AND c.relname <> ALL ($4)
        AND NOT EXISTS (SELECT FROM unnest($5::text[]) AS prefix WHERE starts_with(c.relname, prefix))
      GROUP BY c.relname, c.relkind
      ORDER BY c.relname`,
    [
      settings.clientSchema,
      Object.values(deploymentTables(settings)),
      `${settings.tablePrefix}_cache_`,
      others.flatMap((each) => Object.values(deploymentTables(each))),
      others
        .map(({ tablePrefix }) => `${tablePrefix}_cache_`)
        .filter((prefix) => prefix.startsWith(`${settings.tablePrefix}_cache_`)),
    ],
  );
  return rows;
}
