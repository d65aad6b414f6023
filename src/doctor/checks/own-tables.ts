import type { ClientBase } from 'pg';
import { readKeptNames } from '../../deployment/kept-tables.js';
import { findLostDeployment } from '../../deployment/lost-deployment.js';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, type Remedy, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { type KnownDeployment, readDeployments } from '../deployment-record.js';
import { clientOf } from '../reach.js';
import { readSchemaState } from '../schema-state.js';
import { list } from '../wording.js';

export const ownTables: DoctorCheck = {
  id: 'own-tables',
  title: 'names of the new tables',
  needs: ['work-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const state = await readSchemaState(
      client,
      settings.schema,
      'queue_prefix',
      settings.work.user,
    );
    if (state?.deployment) return ok('not needed: they are deployed');
    const deployments = await readDeployments(client);
    const taken = await takenNames(client, settings, deployments);
    if (taken.length === 0) return ok('yes');
    const lost = await findLostDeployment(client, settings);
    if (lost?.kind === 'renamed') {
      return failed(lost.what, text('owner of the schema', lost.remedy));
    }
    const owners = deploymentsWith(deployments, settings);
    return failed(
      `schema "${settings.clientSchema}" of database "${settings.work.database}" already has ${list(taken)}` +
        (owners.length > 0 ? `, of the deployment in schema ${list(owners)}` : ''),
      owners.length > 0 ? chooseOtherPrefixes(owners) : takeOver(settings),
    );
  },
};

async function takenNames(
  client: ClientBase,
  settings: Settings,
  deployments: readonly KnownDeployment[],
): Promise<string[]> {
  const { clientSchema, tablePrefix } = settings;
  const ours = Object.values(deploymentTables(settings));
  const prefix = `${tablePrefix}_cache_`;
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1
        AND (c.relname = ANY ($2) OR (starts_with(c.relname, $3) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')))
      ORDER BY 1`,
    [clientSchema, ours, prefix],
  );
  // What down has left under the name of a cache table is not ours, and must not keep ours from coming back.
  const isComingBack = (await readKeptNames(client, settings)).some((name) => ours.includes(name));
  return rows
    .map(({ name }) => name)
    .filter(
      (name) => ours.includes(name) || !(isComingBack || isOfOther(name, prefix, deployments)),
    );
}

/** Whether a name that begins like those of our cache tables belongs to a deployment with a longer prefix. */
function isOfOther(name: string, prefix: string, deployments: readonly KnownDeployment[]): boolean {
  return deployments.some(({ deployment }) => {
    if (deployment === undefined) return false;
    const { table_prefix: tablePrefix, queue_prefix: queuePrefix } = deployment;
    const isLonger = tablePrefix.startsWith(prefix) && name.startsWith(`${tablePrefix}_cache_`);
    return isLonger || Object.values(deploymentTables({ tablePrefix, queuePrefix })).includes(name);
  });
}

function deploymentsWith(deployments: readonly KnownDeployment[], settings: Settings): string[] {
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

function takeOver({ cacheBackend }: Settings): Remedy {
  return text(
    'user',
    "PartitionCache's own tool or a client made them. To take them over, with all their rows: pcache-migrate adopt",
    'What it will do, pcache-migrate adopt --dry-run shows.',
    `To leave them alone instead, choose another PG_QUEUE_TABLE_PREFIX and PG_${cacheBackend.toUpperCase()}_CACHE_TABLE_PREFIX (for the clients too).`,
  );
}
