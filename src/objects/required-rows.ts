import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
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
  const differences: ObjectDifference[] = [];
  for (const table of ONE_ROW[scope.stream]) {
    const rows = await count(client, scope, table, 'true');
    if (rows === undefined || rows === 1) continue;
    const statements = rows === 0 ? await insertsOf(client, scope, table) : undefined;
    differences.push(named(scope, table, rows === 0 ? 'missing' : 'unexpected', statements));
  }
  if (scope.stream === 'work' && (await lacksReleases(client, scope))) {
    differences.push(named(scope, 'release', 'missing', [releasesOfLedger(scope)]));
  }
  if (await lacksMigrations(client, scope)) {
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

/** Undefined where the table is gone, is not ours alone or may not be read, which is named elsewhere. */
async function count(
  client: ClientBase,
  { schema, owner }: ObjectScope,
  table: string,
  condition: string,
): Promise<number | undefined> {
  if (!(await hasRelation(client, schema, table))) return undefined;
  if ((await whoElseMadeIt(client, schema, [table], owner)).length > 0) return undefined;
  const { rows: readable } = await client.query<{ may: boolean }>(
    `SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  );
  if (!readable[0]?.may) return undefined;
  const { rows } = await client.query<{ rows: number }>(
    `SELECT pg_catalog.count(*)::integer AS rows
       FROM ${escapeIdentifier(schema)}.${escapeIdentifier(table)} AS counted WHERE ${condition}`,
  );
  return rows[0]?.rows;
}

/** What the migrations, as they were run, put into the table. */
async function insertsOf(
  client: ClientBase,
  scope: ObjectScope,
  table: string,
): Promise<string[] | undefined> {
  if (!(await count(client, scope, 'ledger', 'true'))) return undefined;
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

async function lacksReleases(client: ClientBase, scope: ObjectScope): Promise<boolean> {
  if ((await count(client, scope, 'release', 'true')) === undefined) return false;
  const missing = await count(
    client,
    scope,
    'ledger',
    `NOT EXISTS (SELECT FROM ${escapeIdentifier(scope.schema)}.release WHERE number = counted.release)`,
  );
  return (missing ?? 0) > 0;
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
async function lacksMigrations(client: ClientBase, scope: ObjectScope): Promise<boolean> {
  const own = escapeIdentifier(scope.schema);
  const listed = await count(client, scope, 'migrations', 'true');
  const recorded = await count(client, scope, 'ledger', 'true');
  if (listed === undefined || !recorded) return false;
  const unrecorded = await count(
    client,
    scope,
    'migrations',
    `NOT EXISTS (SELECT FROM ${own}.ledger AS l WHERE l.name = counted.name)`,
  );
  const unlisted = await count(
    client,
    scope,
    'ledger',
    `NOT EXISTS (SELECT FROM ${own}.migrations AS m WHERE m.name = counted.name)`,
  );
  return unrecorded === 0 && (unlisted !== 0 || listed !== recorded);
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
