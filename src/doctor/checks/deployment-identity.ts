import { escapeIdentifier } from 'pg';
import { envLine } from '../../settings/env-line.js';
import type { Settings } from '../../settings/settings.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { type Deployment, readDeployment } from '../deployment-record.js';
import { clientOf } from '../reach.js';
import { readSchemaState } from '../schema-state.js';

export const deploymentIdentity: DoctorCheck = {
  id: 'deployment-identity',
  title: 'deployed and configured settings',
  needs: ['work-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const state = await readSchemaState(
      client,
      settings.schema,
      'queue_prefix',
      settings.work.user,
    );
    const deployed = state?.deployment && (await readDeployment(client, settings.schema));
    if (deployed === undefined) return ok('nothing is deployed yet');
    const differences = compare(deployed, settings);
    if (differences.length === 0) return ok('yes');
    return failed(
      `schema "${settings.schema}" of database "${settings.work.database}" was deployed with other settings: ${differences
        .map(
          ({ name, deployed, configured }) =>
            `${name} was "${deployed}" and is now "${configured}"`,
        )
        .join('; ')}`,
      text(
        'user',
        `Go back to the old ${differences.length === 1 ? 'value' : 'values'}: ${differences.map(({ back }) => back).join(', ')}.`,
        'Or keep that deployment as it is, and add another one: set PCACHE_SCHEMA to a new name.',
        'Or remove it first, with the old settings (pcache-migrate down --all), and deploy it again.',
        ...differences.flatMap(({ advice }) => advice ?? []),
      ),
    );
  },
};

interface Difference {
  name: string;
  deployed: string;
  configured: string;
  /** The old setting. */
  back: string;
  advice?: string;
}

function compare(deployed: Deployment, settings: Settings): Difference[] {
  const { cron, client } = settings;
  const cachePrefix = `PG_${deployed.cache_backend.toUpperCase()}_CACHE_TABLE_PREFIX`;
  return [
    ...difference('PCACHE_CLIENT_SCHEMA', deployed.client_schema, settings.clientSchema),
    ...difference('PG_QUEUE_TABLE_PREFIX', deployed.queue_prefix, settings.queuePrefix),
    ...difference(cachePrefix, deployed.table_prefix, settings.tablePrefix),
    ...difference(
      'CACHE_BACKEND',
      `postgresql_${deployed.cache_backend}`,
      `postgresql_${settings.cacheBackend}`,
    ),
    ...difference('PG_CRON_USER', deployed.cron_role, cron.user),
    ...difference('PG_QUEUE_USER', deployed.client_role, client.user),
    ...fragmentRoleLost(deployed, settings),
  ];
}

/** Another role is for `up` to set; but a forgotten variable must not give fragments the cron role's rights. */
function fragmentRoleLost(
  { fragment_role }: Deployment,
  { schema, fragmentRole }: Settings,
): Difference[] {
  if (fragment_role === null || fragmentRole !== undefined) return [];
  return [
    {
      name: 'PG_FRAGMENT_ROLE',
      deployed: fragment_role,
      configured: '',
      back: envLine('PG_FRAGMENT_ROLE', fragment_role),
      advice: `To give fragments the rights of the cron role on purpose, as the migrator: SELECT ${escapeIdentifier(schema)}.set_fragment_role(NULL);`,
    },
  ];
}

function difference(name: string, deployed: string, configured: string): Difference[] {
  return deployed === configured
    ? []
    : [{ name, deployed, configured, back: envLine(name, deployed) }];
}
