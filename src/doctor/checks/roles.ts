import { escapeIdentifier } from 'pg';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { checkGrants, onDatabase } from '../grants.js';
import { clientOf } from '../reach.js';
import { list, variable } from '../wording.js';

export const roles: DoctorCheck = {
  id: 'roles',
  title: 'roles',
  needs: ['work-connection', 'work-name-encoding'],
  run: async ({ settings, work }) => {
    const wanted = new Map([
      [settings.cron.user, variable(settings.cron, 'user', 'PG_CRON_USER')],
      [settings.client.user, variable(settings.client, 'user', 'PG_QUEUE_USER')],
    ]);
    const { rows } = await clientOf(work).query<{ role: string }>(
      `SELECT role FROM unnest($1::text[]) AS role
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)`,
      [[...wanted.keys()]],
    );
    const missing = rows.map(({ role }) => role);
    if (missing.length === 0) return ok(list([settings.work.user, ...wanted.keys()]));
    return failed(
      `there is no role ${list(missing)}`,
      // Not as SQL to run: a misspelt name must not become a role.
      text(
        'administrator',
        ...missing.map(
          (role) =>
            `Correct ${wanted.get(role)}, or create the role: CREATE ROLE ${escapeIdentifier(role)} LOGIN; and set its password with \\password ${escapeIdentifier(role)} in psql.`,
        ),
      ),
    );
  },
};

export const cronRoleConnect: DoctorCheck = {
  id: 'cron-role-connect',
  title: 'cron role: connection to the work database',
  needs: ['roles'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the database',
      grants: [onDatabase(settings.cron.user, settings.work.database, 'CONNECT')],
      without: 'the jobs, which run as this role, cannot start',
    }),
};

export const clientRoleConnect: DoctorCheck = {
  id: 'client-role-connect',
  title: 'client role: connection to the work database',
  needs: ['roles'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the database',
      grants: [onDatabase(settings.client.user, settings.work.database, 'CONNECT')],
      without: 'the application cannot use the queue',
      whenMissing: 'warning',
    }),
};
