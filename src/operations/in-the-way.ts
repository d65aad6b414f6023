import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import { type Dependent, dependentsOn, type ObjectAddress } from '../database/dependents.js';
import { ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { StreamState } from '../deployment/stream-plan.js';
import type { ReachedDatabases } from '../deployment/with-databases.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { PcacheError } from '../errors/pcache-error.js';
import { objectsIn } from '../plan/changed-objects.js';
import { readReleasedSql } from '../plan/released-sql.js';
import type { Settings } from '../settings/settings.js';
import { cacheTablesAmong } from './data-at-stake.js';
import type { RollbackStep } from './rollback-plan.js';
import { namesOf, remaining } from './rollback-states.js';

/** Something of others depends on what would be dropped; nothing was changed. */
export class InTheWayError extends PcacheError {
  override readonly name = 'InTheWayError';

  constructor(database: string, found: readonly Dependent[]) {
    super(
      `In database "${database}", others have made what depends on what would be dropped: ${found.map(({ what }) => what).join('; ')}. Nothing was changed.`,
      {
        remedy: `Find out who needs it, and keep its definition (pg_dump has it). Then its owner, or an administrator, drops it in database "${database}":\n${found.map(({ line }) => `  ${line}`).join('\n')}\nThen run the command again.`,
      },
    );
  }
}

export interface PlannedRollback {
  readonly databases: ReachedDatabases;
  readonly settings: Settings;
  readonly states: readonly StreamState[];
  readonly steps: readonly RollbackStep[];
  readonly dropData: boolean;
}

/**
 * Raises InTheWayError where PostgreSQL would refuse to drop something, before the first stream is rolled back. The views
 * on a cache table that is kept go along with it.
 */
export async function requireNothingInTheWay(planned: PlannedRollback): Promise<void> {
  const { databases, settings, states, steps } = planned;
  for (const state of states) {
    const client = databases[state.stream];
    const names = namesOf(steps, state.stream);
    if (client === undefined || names.length === 0) continue;
    const isWhole = remaining(states, steps, state.stream) === 0;
    const routines = await addressesOf(client, ROUTINES_AND_VIEWS, [
      state.schema,
      await dropped(client, state, names, state.schema),
      isWhole,
    ]);
    const clients =
      state.stream === 'work'
        ? await inClientSchema(planned, state, names)
        : { dropped: [], moved: [], own: [] };
    const ours = { schemas: [settings.schema, settings.cronSchema], tables: clients.own };
    const found = [
      ...(await dependentsOn(client, [...routines, ...clients.dropped], ours)),
      ...(await dependentsOn(client, clients.moved, ours)).filter(
        // The processor would not use the table with these on it.
        ({ kind }) => kind === 'table constraint' || kind === 'table',
      ),
    ];
    if (found.length > 0) throw new InTheWayError(state.database, found);
  }
}

async function inClientSchema(
  { databases: { work }, settings, dropData }: PlannedRollback,
  state: StreamState,
  names: readonly string[],
): Promise<Record<'dropped' | 'moved' | 'own', ObjectAddress[]>> {
  const { clientSchema } = settings;
  const tables = state.applied
    .filter(({ name }) => names.includes(name))
    .flatMap(({ record }) => record?.drops ?? []);
  await requireOurs(work, settings, tables);
  const { own } = await cacheTablesAmong(work, settings, tables);
  const addresses = (of: readonly string[]) => addressesOf(work, TABLES, [clientSchema, of]);
  const shared = (await isLast(work, settings))
    ? await addressesOf(work, ROUTINES_AND_VIEWS, [
        clientSchema,
        await dropped(work, state, names, clientSchema),
        false,
      ])
    : [];
  return {
    dropped: [...shared, ...(await addresses(dropData ? [...tables, ...own] : tables))],
    moved: dropData ? [] : await addresses(own),
    // A trigger of ours is dropped before the function that it calls, whether its table stays or not.
    own: await addresses(Object.values(deploymentTables(settings))),
  };
}

/** Raises PostgreSQL's error 42809 where others have something under the name of a table that is dropped. */
async function requireOurs(
  work: ClientBase,
  settings: Settings,
  tables: readonly string[],
): Promise<void> {
  const { rows } = await work.query<{ relname: string }>(
    `SELECT c.relname FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2)
        AND (c.relkind <> 'r' OR pg_catalog.pg_get_userbyid(c.relowner) <> current_user)`,
    [settings.clientSchema, tables],
  );
  await withOwnTables(
    work,
    settings,
    'read',
    rows.map(({ relname }) => relname),
    async () => {},
  );
}

/** Whether what all deployments share goes with this one. */
async function isLast(work: ClientBase, settings: Settings): Promise<boolean> {
  if (!(await hasRoutine(work, settings.schema, 'is_last_deployment'))) return false;
  const { rows } = await work.query<{ is_last: boolean }>(
    `SELECT ${ownName(settings, 'is_last_deployment')}() AS is_last`,
  );
  return rows[0]?.is_last === true;
}

/**
 * The names of the routines and views of a schema that are dropped. Those of the clients go in blocks, which do not say
 * so where it could be read: they are what the migrations made, unless one that stays had it before.
 */
async function dropped(
  client: ClientBase,
  { schema, applied }: StreamState,
  names: readonly string[],
  within: string,
): Promise<string[]> {
  const released = await readReleasedSql(client, schema, applied);
  const isUndone = ({ name }: { readonly name: string }) => names.includes(name);
  const undone = released.filter(isUndone);
  const isShared = within !== schema;
  const named = objectsIn(undone.map(({ up, down }) => (isShared ? up : down)))
    .filter((object) => object.action === (isShared ? 'create' : 'drop'))
    .filter((object) => object.schema === within)
    .map(({ name }) => name);
  if (!isShared) return named;
  const staying = released.filter((one) => !isUndone(one)).map(({ up }) => up);
  return named.filter((name) => !staying.some((up) => up.includes(name)));
}

async function addressesOf(
  client: ClientBase,
  query: string,
  values: readonly unknown[],
): Promise<ObjectAddress[]> {
  return (await client.query<ObjectAddress>(query, [...values])).rows;
}

/** With all that is in the schema ($3), or by name. */
const ROUTINES_AND_VIEWS = `
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::oid AS classid, p.oid AS objid
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    -- An aggregate goes with the function that it calls.
    LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = p.oid
    LEFT JOIN pg_catalog.pg_proc AS called ON called.oid = a.aggtransfn
   WHERE n.nspname = $1 AND ($3 OR p.proname = ANY ($2) OR called.proname = ANY ($2))
     AND p.proowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
   UNION ALL
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND ($3 AND c.relkind IN ('r', 'v', 'S') OR c.relkind = 'v' AND c.relname = ANY ($2))
   UNION ALL
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
   WHERE n.nspname = $1 AND $3`;

/** With the types of their rows, their sequences, and what their keys are. */
const TABLES = `
  WITH tables AS (
    SELECT c.oid, c.reltype FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind = 'r'
  )
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, oid AS objid FROM tables
   UNION ALL
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid
    FROM tables JOIN pg_catalog.pg_type AS t ON reltype IN (t.oid, t.typelem)
   UNION ALL
  SELECT d.classid, d.objid FROM tables
    JOIN pg_catalog.pg_depend AS d
      ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = tables.oid
     AND d.deptype IN ('a', 'i')`;
