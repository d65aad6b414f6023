import { type ClientBase, escapeIdentifier } from 'pg';
import { splitStatements } from '../migrations/split-statements.js';
import { whoElseMadeIt } from '../migrations/who-else-made-it.js';
import { plainName } from '../text/plain-name.js';
import type { ObjectDifference, ObjectProblem } from './compare.js';
import type { ObjectScope } from './scope.js';

/** Without these rows nothing of ours works: where they are missing, the tables are as good as gone. */
const ONE_ROW = { work: ['deployment', 'settings'], cron: ['deployment'] } as const;

/** Within a transaction that may be read-only: which tables of ours do not hold the rows that a release gave them. */
export async function rowDifferences(
  client: ClientBase,
  scope: ObjectScope,
): Promise<ObjectDifference[]> {
  const counts = await countAll(client, scope);
  const differences: ObjectDifference[] = [];
  for (const table of ONE_ROW[scope.stream]) {
    const rows = counts.get(table);
    if (rows === undefined || rows === 1) continue;
    const statements =
      rows === 0 && counts.get('ledger') ? await insertsOf(client, scope, table) : undefined;
    differences.push(named(scope, table, rows === 0 ? 'missing' : 'unexpected', statements));
  }
  if (counts.get('ledger without release')) {
    differences.push(named(scope, 'release', 'missing', [releasesOfLedger(scope)]));
  }
  if (lacksMigrations(counts)) {
    differences.push(named(scope, 'migrations', 'missing', migrationsOfLedger(scope)));
  }
  return differences;
}

function named(
  { schema }: ObjectScope,
  table: string,
  problem: ObjectProblem,
  statements: readonly string[] | undefined,
): ObjectDifference {
  const identity = `of table ${plainName(schema)}.${table}`;
  return { kind: 'rows', identity, problem, expected: undefined, found: undefined, statements };
}

interface Count {
  readonly name: string;
  readonly tables: readonly string[];
  /** SQL: what is counted, after FROM. */
  readonly from: string;
}

function countsOf({ schema, stream }: ObjectScope): Count[] {
  const own = escapeIdentifier(schema);
  const all = [...ONE_ROW[stream], 'ledger', 'migrations'];
  const without = (table: string, other: string, condition: string): Count => ({
    name: `${table} without ${other}`,
    tables: [table, other],
    from: `${own}.${table} AS a WHERE NOT EXISTS (SELECT FROM ${own}.${other} AS b WHERE ${condition})`,
  });
  return [
    ...all.map((table) => ({ name: table, tables: [table], from: `${own}.${table}` })),
    without('migrations', 'ledger', 'b.name = a.name'),
    without('ledger', 'migrations', 'b.name = a.name'),
    ...(stream === 'work' ? [without('ledger', 'release', 'b.number = a.release')] : []),
  ];
}

/** By name; what is gone, is not ours alone or may not be read is named elsewhere, and not counted. */
async function countAll(
  client: ClientBase,
  scope: ObjectScope,
): Promise<ReadonlyMap<string, number>> {
  const counts = countsOf(scope);
  const countable = await countableTables(client, scope, [
    ...new Set(counts.flatMap(({ tables }) => tables)),
  ]);
  const asked = counts.filter(({ tables }) => tables.every((table) => countable.has(table)));
  if (asked.length === 0) return new Map();
  const numbers = asked.map(({ from }) => `(SELECT pg_catalog.count(*)::integer FROM ${from})`);
  const list = numbers.join(', ');
  const { rows } = await client.query<{ numbers: number[] }>(`SELECT ARRAY[${list}] AS numbers`);
  return new Map(asked.map(({ name }, index) => [name, rows[0]?.numbers[index] ?? 0]));
}

async function countableTables(
  client: ClientBase,
  { schema, owner }: ObjectScope,
  tables: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2)
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
    [schema, tables],
  );
  const readable = rows.map(({ name }) => name);
  const isOurs = async (names: readonly string[]) =>
    (await whoElseMadeIt(client, schema, names, owner)).length === 0;
  if (await isOurs(readable)) return new Set(readable);
  const ours = new Set<string>();
  for (const name of readable) if (await isOurs([name])) ours.add(name);
  return ours;
}

/** What the migrations, as they were run, put into the table. */
async function insertsOf(
  client: ClientBase,
  scope: ObjectScope,
  table: string,
): Promise<string[] | undefined> {
  const { rows } = await client.query<{ up_sql: string }>(
    `SELECT up_sql FROM ${escapeIdentifier(scope.schema)}.ledger ORDER BY applied_at, name`,
  );
  const into = `INSERT INTO ${escapeIdentifier(scope.schema)}.${table}`;
  const inserts = rows
    .flatMap(({ up_sql }) => splitStatements(up_sql))
    .map(({ text }) => text)
    .filter((text) => text.startsWith(`${into} `) || text.startsWith(`${into}\n`));
  return inserts.length === 0 ? undefined : inserts;
}

/** As far as the ledger knows them: not who ran them from where, and nothing of those that left nothing. */
export function releasesOfLedger({ schema }: Pick<ObjectScope, 'schema'>): string {
  const own = escapeIdentifier(schema);
  return `INSERT INTO ${own}.release
  (number, package_version, label, role, host, program, started_at, finished_at, outcome,
   work_migrations)
SELECT release, pg_catalog.max(package_version), 'written anew from the ledger',
       pg_catalog.max(applied_by::text), 'unknown', 'unknown', pg_catalog.min(applied_at),
       pg_catalog.max(applied_at), 'done', pg_catalog.array_agg(name ORDER BY applied_at, name)
  FROM ${own}.ledger GROUP BY release
    ON CONFLICT (number) DO NOTHING`;
}

/** Whether the table of node-pg-migrate and the ledger beside it, which has them all, name other migrations. */
function lacksMigrations(counts: ReadonlyMap<string, number>): boolean {
  const listed = counts.get('migrations');
  const recorded = counts.get('ledger');
  if (listed === undefined || !recorded) return false;
  return (
    counts.get('migrations without ledger') === 0 &&
    (counts.get('ledger without migrations') !== 0 || listed !== recorded)
  );
}

/** All of them, since their order is that of their numbers there. */
export function migrationsOfLedger({ schema }: ObjectScope): string[] {
  const own = escapeIdentifier(schema);
  return [
    `DELETE FROM ${own}.migrations`,
    `INSERT INTO ${own}.migrations (name, run_on)
SELECT name, applied_at AT TIME ZONE 'UTC' FROM ${own}.ledger ORDER BY name`,
  ];
}
