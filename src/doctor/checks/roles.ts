import { escapeIdentifier } from 'pg';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { checkGrants, onDatabase } from '../grants.js';
import { clientOf } from '../reach.js';
import { giveBackName, renamedRoles } from '../renamed-role.js';
import { list, variable } from '../wording.js';

// Of one that was kept as MD5.
const NO_PASSWORD = 'If it cannot log in then, give it its password again: \\password in psql.';

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
    const names = await renamedRoles(clientOf(work), settings, missing);
    const found = missing.map((role) => ({ role, now: names.get(role) }));
    return failed(
      found
        .map(
          ({ role, now }) =>
            `there is no role ${list([role])}${now === undefined ? '' : `: all that it had, role ${now} has; it was renamed`}`,
        )
        .join('; '),
      // Not as SQL to run: a misspelt name must not become a role.
      text(
        'administrator',
        ...found.map(({ role, now }) =>
          now === undefined
            ? `Correct ${wanted.get(role)}, or create the role: CREATE ROLE ${escapeIdentifier(role)} LOGIN; and set its password with \\password ${escapeIdentifier(role)} in psql.`
            : `Give it back its name, which is that of the deployment: ${giveBackName(now, role)} ${NO_PASSWORD}`,
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
