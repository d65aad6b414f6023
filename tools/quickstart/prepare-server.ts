import { escapeIdentifier, escapeLiteral } from 'pg';
import { withClient } from '../../src/database/connect.js';
import { asAdministrator, type ConnectionSettings } from '../../src/settings/settings.js';
import { passwordVerifier } from '../throwaway/password-verifier.js';
import type { QuickstartSettings } from './environment.js';

export interface ServerVersions {
  readonly postgresql: string;
  readonly pgCron: string;
}

/** Creates the roles and the work database as the administrator, and nothing that `setup` creates. */
export async function prepareServer(settings: QuickstartSettings): Promise<ServerVersions> {
  return withClient(asAdministrator(settings.cron, settings.admin), async (client) => {
    for (const { user, password } of rolesOf(settings)) {
      await client.query(
        `CREATE ROLE ${escapeIdentifier(user)} LOGIN PASSWORD ${escapeLiteral(passwordVerifier(password ?? ''))}`,
      );
    }
    const fragmentRole = escapeIdentifier(settings.fragmentRole);
    await client.query(`CREATE ROLE ${fragmentRole} NOLOGIN`);
    await client.query(`GRANT ${fragmentRole} TO ${escapeIdentifier(settings.work.user)}`);
    await client.query(
      `CREATE DATABASE ${escapeIdentifier(settings.work.database)} OWNER ${escapeIdentifier(settings.work.user)}`,
    );
    const { rows } = await client.query<ServerVersions>(
      `SELECT current_setting('server_version') AS postgresql,
              (SELECT default_version FROM pg_available_extensions WHERE name = 'pg_cron') AS "pgCron"`,
    );
    return rows[0] as ServerVersions;
  });
}

/** The roles that log in for the deployment; none of them needs to be a superuser. */
export function rolesOf(settings: QuickstartSettings): ConnectionSettings[] {
  return [settings.work, settings.cron, settings.client];
}
