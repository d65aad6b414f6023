import type { ClientBase } from 'pg';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, type Remedy, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { readDeployments } from '../deployment-record.js';
import { clientOf } from '../reach.js';
import { readSchemaState } from '../schema-state.js';
import { list } from '../wording.js';

export const ownTables: DoctorCheck = {
  id: 'own-tables',
  title: 'names of the new tables',
  needs: ['work-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const state = await readSchemaState(client, settings.schema, 'queue_prefix');
    if (state?.deployment) return ok('not needed: they are deployed');
    const taken = await takenNames(client, settings);
    if (taken.length === 0) return ok('yes');
    const owners = await deploymentsWith(client, settings);
    return failed(
      `schema "${settings.clientSchema}" of database "${settings.work.database}" already has ${list(taken)}` +
        (owners.length > 0 ? `, of the deployment in schema ${list(owners)}` : ''),
      owners.length > 0 ? chooseOtherPrefixes(owners) : makeRoom(settings),
    );
  },
};

async function takenNames(
  client: ClientBase,
  { clientSchema, tablePrefix, ...settings }: Settings,
): Promise<string[]> {
  const tables = Object.values(deploymentTables({ tablePrefix, ...settings }));
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1
        AND (c.relname = ANY ($2) OR (starts_with(c.relname, $3) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')))
      ORDER BY 1`,
    [clientSchema, tables, `${tablePrefix}_cache_`],
  );
  return rows.map(({ name }) => name);
}

async function deploymentsWith(client: ClientBase, settings: Settings): Promise<string[]> {
  const deployments = await readDeployments(client);
  return deployments
    .filter(
      ({ deployment }) =>
        deployment?.client_schema === settings.clientSchema &&
        (deployment.queue_prefix === settings.queuePrefix ||
          deployment.table_prefix === settings.tablePrefix),
    )
    .map(({ schema }) => schema);
}

function chooseOtherPrefixes(owners: readonly string[]): Remedy {
  return text(
    'user',
    `To add a deployment next to that one, choose another PG_QUEUE_TABLE_PREFIX and another prefix for the cache tables.`,
    `To continue with that one, set PCACHE_SCHEMA to ${list(owners)}.`,
  );
}

function makeRoom({ cacheBackend }: Settings): Remedy {
  return text(
    'user',
    "An older set-up or a client of PartitionCache created them; this version can't take them over.",
    `Either choose another PG_QUEUE_TABLE_PREFIX and PG_${cacheBackend.toUpperCase()}_CACHE_TABLE_PREFIX (for the clients too),`,
    'or, with its processor and clients stopped, rename or drop those tables.',
  );
}
