import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { areJobsPending } from '../deployment/jobs-pending.js';
import { readKept } from '../deployment/kept-tables.js';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Databases } from '../deployment/with-databases.js';
import { readReleases } from '../releases/read-releases.js';
import type { Settings } from '../settings/settings.js';
import { CRON_FUNCTIONS, JOB_FUNCTION, WORK_FUNCTIONS } from './contract-names.js';
import { notShared } from './drop-foreign-code.js';
import type { ConfigRow, ForeignFunction, ForeignSetup, ForeignWorkSide } from './foreign-setup.js';
import { readAside } from './read-aside.js';
import { readForeignCaches } from './read-caches.js';
import { readCronSide } from './read-cron-side.js';
import { readForeignFunctions, readNeighbours, readUnknownFunctions } from './read-functions.js';
import { readForeignTables } from './read-tables.js';

/**
 * What PartitionCache's own tool, or a client, made in both databases under the names of these settings. Changes
 * nothing. The clients may be the administrator's, who sees more.
 */
export async function findForeignSetup(
  { work, cron }: Databases,
  settings: Settings,
): Promise<ForeignSetup> {
  const workSide = await findForeignWorkSide(work, settings);
  const isDeployed = await hasRelation(work, settings.schema, 'slot');
  return {
    work: workSide,
    isDeployed,
    stray: isDeployed ? await readStray(work, settings) : [],
    isUnfinished: isDeployed && (await isUnfinished(work, settings)),
    cron: await readCronSide(cron, settings, workSide?.config ?? [], rolesOf(workSide)),
  };
}

/** Whoever owns the tables, or may empty the queue as the jobs do: the roles of the old set-up. */
function rolesOf(side: ForeignWorkSide | undefined): string[] {
  return (side?.tables ?? []).flatMap(({ role: table, owner, grantees }) => [
    owner,
    ...grantees.flatMap(({ role, privileges }) =>
      table === 'fragmentQueue' && privileges.includes('DELETE') && role !== null ? [role] : [],
    ),
  ]);
}

async function readStray(work: ClientBase, settings: Settings): Promise<ForeignFunction[]> {
  const { clientSchema } = settings;
  if ((await readNeighbours(work, settings)).length > 0) return [];
  return readForeignFunctions(work, clientSchema, settings.work.user, [JOB_FUNCTION], []);
}

async function isUnfinished(work: ClientBase, settings: Settings): Promise<boolean> {
  const last = (await readReleases(work, settings)).at(-1);
  if (last === undefined || last.outcome === 'done' || last.undoneAt !== undefined) return false;
  // A later run that found nothing more to release has come to the end of it.
  return areJobsPending(work, settings);
}

/** Undefined where there is nothing, or where it is a deployment of this package already. */
export async function findForeignWorkSide(
  work: ClientBase,
  settings: Settings,
): Promise<ForeignWorkSide | undefined> {
  if (await isDeployed(work, settings)) return undefined;
  const tables = await readForeignTables(work, settings);
  const caches = await readForeignCaches(work, settings, tables);
  if (tables.length === 0 && caches.length === 0) return undefined;
  const names = [...tables, ...caches].map(({ name }) => name);
  const functions = await readForeignFunctions(
    work,
    settings.clientSchema,
    settings.work.user,
    [...WORK_FUNCTIONS, ...CRON_FUNCTIONS],
    names,
  );
  const neighbours = await readNeighbours(work, settings);
  return {
    tables,
    caches,
    functions: notShared(functions, neighbours.length > 0),
    unknownFunctions: await readUnknownFunctions(work, settings, functions),
    neighbours,
    config: tables.some(({ role, rows }) => role === 'processorConfig' && rows !== null)
      ? await readConfig(work, settings)
      : [],
    eviction: await relationsIn(work, settings.clientSchema, [
      `${settings.tablePrefix}_eviction_config`,
      `${settings.tablePrefix}_eviction_log`,
    ]),
    aside: await readAside(work, settings, names, functions),
    kept: await readKept(work, settings),
  };
}

/** Whether any deployment of this package has these tables: its own names, or its own tables. */
async function isDeployed(work: ClientBase, settings: Settings): Promise<boolean> {
  const { fragmentQueue } = deploymentTables(settings);
  const { rowCount } = await work.query(
    `SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE (n.nspname = $1 AND c.relname = 'slot' AND c.relkind = 'r')
         OR (n.nspname = $2 AND c.relname = $3 AND EXISTS (
               SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'pcache_notify'))
      LIMIT 1`,
    [settings.schema, settings.clientSchema, fragmentQueue],
  );
  return rowCount === 1;
}

async function readConfig(work: ClientBase, settings: Settings): Promise<ConfigRow[]> {
  const { rows } = await work.query<{ row: ConfigRow }>(
    `SELECT to_jsonb(config) AS row
       FROM ONLY ${clientName(settings, deploymentTables(settings).processorConfig)} AS config
      ORDER BY config.job_name`,
  );
  return rows.map(({ row }) => row);
}

async function relationsIn(
  client: ClientBase,
  schema: string,
  names: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2) ORDER BY 1`,
    [schema, names],
  );
  return rows.map(({ name }) => name);
}
