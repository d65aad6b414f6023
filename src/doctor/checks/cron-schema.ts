import { type ClientBase, escapeIdentifier } from 'pg';
import type { Settings } from '../../settings/settings.js';
import { type Finding, failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { checkGrants, onSchema } from '../grants.js';
import { clientOf } from '../reach.js';
import { checkSchemaCreation } from '../schema-creation.js';
import { readSchemaState } from '../schema-state.js';
import { refuseStrangers } from '../strangers.js';
import { list, variable } from '../wording.js';

const ANOTHER_SCHEMA = 'set PCACHE_SCHEMA to another name: this schema is named after it.';

export const cronSchema: DoctorCheck = {
  id: 'cron-schema',
  title: "the package's schema in the pg_cron database",
  needs: ['cron-connection', 'same-cluster'],
  run: async ({ settings, cron }) => {
    const { user, database } = settings.cron;
    const client = clientOf(cron);
    const state = await readSchemaState(client, settings.cronSchema, 'work_schema', user);
    if (state === undefined) return ok(`"${settings.cronSchema}" does not exist yet`);
    if (state.deployment === undefined && state.contents.length > 0) {
      return failed(
        `"${settings.cronSchema}" in database "${database}" is not ours: it contains ${list(state.contents)} and no deployment`,
        text(
          'user',
          `Keep that schema as it is, and ${ANOTHER_SCHEMA}`,
          'Or, if its table deployment was dropped by hand: pcache-migrate verify --fix',
        ),
      );
    }
    const refused = refuseStrangers(
      state,
      { schema: settings.cronSchema, database, user },
      ANOTHER_SCHEMA,
    );
    if (state.deployment === undefined) {
      if (refused) return refused;
      return checkGrants({
        client,
        database,
        by: 'owner of the schema',
        grants: [
          onSchema(user, settings.cronSchema, 'USAGE'),
          onSchema(user, settings.cronSchema, 'CREATE'),
        ],
        without: 'nothing can be deployed in it',
      });
    }
    // Membership in the owner is not enough: jobs belong to the role that scheduled them, and only that role sees them.
    if (state.deployment.owner !== user) {
      return failed(
        `"${settings.cronSchema}" belongs to role "${state.deployment.owner}", whose jobs role "${user}" can neither see nor unschedule`,
        text(
          'user',
          `Set ${variable(settings.cron, 'user', 'PG_CRON_USER')} (and its password) to "${state.deployment.owner}"; or run pcache-migrate down --stream cron as that role first.`,
        ),
      );
    }
    return refused ?? servesUs(client, settings);
  },
};

async function servesUs(client: ClientBase, settings: Settings): Promise<Finding> {
  const { rows } = await client.query<{ work_database: string; work_schema: string }>(
    `SELECT work_database, work_schema FROM ${escapeIdentifier(settings.cronSchema)}.deployment`,
  );
  const { work_database, work_schema } = rows[0] ?? {};
  if (work_database === settings.work.database && work_schema === settings.schema) {
    return ok(`"${settings.cronSchema}" is deployed`);
  }
  return failed(
    `"${settings.cronSchema}" schedules jobs for schema "${work_schema}" of database "${work_database}", not for schema "${settings.schema}" of database "${settings.work.database}"`,
    text('user', `Keep that deployment as it is, and ${ANOTHER_SCHEMA}`),
  );
}

export const cronDatabaseCreate: DoctorCheck = {
  id: 'cron-database-create',
  title: 'cron role: creation of a schema in the pg_cron database',
  needs: ['cron-schema', 'cron-name-encoding'],
  run: ({ settings, cron }) =>
    checkSchemaCreation({
      client: clientOf(cron),
      connection: settings.cron,
      schema: settings.cronSchema,
      marker: 'work_schema',
    }),
};
