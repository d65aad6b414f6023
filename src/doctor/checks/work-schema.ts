import { escapeIdentifier } from 'pg';
import { findLostOwners } from '../../deployment/restored-owners.js';
import { type Finding, failed, ok, sql, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { checkSchemaCreation } from '../schema-creation.js';
import { readSchemaState } from '../schema-state.js';
import { refuseStrangers } from '../strangers.js';
import { list, variable } from '../wording.js';

const ANOTHER_SCHEMA = 'set PCACHE_SCHEMA to an unused name.';

export const workSchema: DoctorCheck = {
  id: 'work-schema',
  title: "the package's schema in the work database",
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const { schema } = settings;
    const { user, database } = settings.work;
    const client = clientOf(work);
    const state = await readSchemaState(client, schema, 'queue_prefix', user);
    if (state === undefined) return ok(`"${schema}" does not exist yet`);
    if (state.deployment === undefined && state.contents.length > 0) {
      return failed(
        `"${schema}" in database "${database}" is not ours: it contains ${list(state.contents)} and no deployment`,
        text(
          'user',
          `Keep that schema as it is, and ${ANOTHER_SCHEMA}`,
          'Or, if its table deployment was dropped by hand: pcache-migrate verify --fix',
        ),
      );
    }
    const lost = await findLostOwners(client, settings);
    if (lost !== undefined) return failed(lost.what, text('user', lost.remedy));
    if (state.deployment !== undefined && !state.deployment.ownedByUs) {
      return otherOwner(
        `"${schema}" was deployed by role "${state.deployment.owner}", and role "${user}" may not act as that role`,
        variable(settings.work, 'user', 'DB_USER'),
        state.deployment.owner,
      );
    }
    const refused = refuseStrangers(state, { schema, database, user }, ANOTHER_SCHEMA);
    if (refused) return refused;
    // A superuser's: nobody else may change it, but only its owner can give a function of it to the fragment role.
    if (!state.isOurs) {
      return failed(
        `"${schema}" belongs to role "${state.owner}", and should belong to the migrator, who gives one function in it to the fragment role`,
        sql(
          'administrator',
          database,
          `ALTER SCHEMA ${escapeIdentifier(schema)} OWNER TO ${escapeIdentifier(user)};`,
        ),
      );
    }
    return ok(
      `"${schema}" ${state.deployment === undefined ? 'has nothing deployed' : 'is deployed'}`,
    );
  },
};

function otherOwner(detail: string, userVariable: string, owner: string): Finding {
  return failed(
    detail,
    text(
      'user',
      `Set ${userVariable} (and its password) to "${owner}"; or, for a separate deployment, ${ANOTHER_SCHEMA}`,
    ),
  );
}

export const workDatabaseCreate: DoctorCheck = {
  id: 'work-database-create',
  title: 'migrator: creation of a schema in the work database',
  needs: ['work-schema', 'work-name-encoding'],
  run: ({ settings, work }) =>
    checkSchemaCreation({
      client: clientOf(work),
      connection: settings.work,
      schema: settings.schema,
      marker: 'queue_prefix',
    }),
};
