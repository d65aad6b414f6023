import { type ClientBase, escapeIdentifier } from 'pg';
import { sqlState } from '../../database/database-error.js';
import { type Reached, withClientIfReachable } from '../../database/with-client-if-reachable.js';
import { explainMissingDatabase } from '../../jobs/missing-database.js';
import { envLine } from '../../settings/env-line.js';
import type { ConnectionSettings, Settings } from '../../settings/settings.js';
import { type Finding, failed, ok, sql, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { grantLine, onDatabase } from '../grants.js';
import { giveBackName } from '../renamed-role.js';
import { address, oneLine, quoted, variable } from '../wording.js';

export const workConnection: DoctorCheck = {
  id: 'work-connection',
  title: 'connection to the work database',
  needs: [],
  run: async ({ settings, work }) =>
    (await renamedMigrator(settings, work)) ??
    connection(
      settings.work,
      work.failure ? { failure: await explainMissingDatabase(work.failure, settings) } : work,
    ),
};

export const cronConnection: DoctorCheck = {
  id: 'cron-connection',
  title: 'connection to the pg_cron database',
  needs: [],
  run: ({ settings, cron }) => connection(settings.cron, cron),
};

export const adminConnection: DoctorCheck = {
  id: 'admin-connection',
  title: 'connection as the administrator',
  needs: [],
  run: ({ admin }) =>
    admin?.failure
      ? // Not a failure: perhaps nothing has to be done as the administrator.
        warning(
          `${oneLine(admin.failure.message)}; nothing can be fixed as the administrator`,
          text('user', ...admin.failure.remedy.split('\n')),
        )
      : ok('the administrator can log in'),
};

const NO_SUCH_ROLE = /^28/;

/** Undefined unless the role is gone and another owns what it deployed, as the cron role sees it. */
async function renamedMigrator(
  { work, cron, schema }: Settings,
  { failure }: Reached,
): Promise<Finding | undefined> {
  if (!NO_SUCH_ROLE.test(sqlState(failure?.cause) ?? '')) return undefined;
  const { database, user } = work;
  return withClientIfReachable({ ...cron, database }, async ({ client }) => {
    const owner = client && (await ownerInPlaceOf(client, schema, user));
    if (owner === undefined) return undefined;
    return failed(
      `there is no role ${quoted(user)}: what it deployed in database ${quoted(database)} belongs to role ${quoted(owner)}; it was renamed`,
      text(
        'administrator',
        `Give it back its name, which is that of the deployment: ${giveBackName(escapeIdentifier(owner), user)}`,
        `Or, until then, have the commands connect as it: ${envLine(variable(work, 'user', 'DB_USER'), owner)}.`,
      ),
    );
  });
}

async function ownerInPlaceOf(
  client: ClientBase,
  schema: string,
  role: string,
): Promise<string | undefined> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT pg_catalog.pg_get_userbyid(nspowner)::text AS owner FROM pg_catalog.pg_namespace
      WHERE nspname = $1
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $2)`,
    [schema, role],
  );
  return rows[0]?.owner;
}

const MAY_NOT_CONNECT = '42501';

function connection(settings: ConnectionSettings, reached: Reached | undefined): Finding {
  const { user, database } = settings;
  if (!reached?.failure) {
    return ok(`database "${database}" on ${address(settings)} as role "${user}"`);
  }
  const { message, remedy, cause } = reached.failure;
  return failed(
    oneLine(message),
    sqlState(cause) === MAY_NOT_CONNECT
      ? sql('owner of the database', database, grantLine(onDatabase(user, database, 'CONNECT')))
      : text('user', ...remedy.split('\n')),
  );
}
