import { type ClientBase, escapeIdentifier } from 'pg';
import type { ConnectionSettings } from '../../settings/settings.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { address, variable } from '../wording.js';

const OLDEST_VERSION = 12;

export const serverVersion: DoctorCheck = {
  id: 'server-version',
  title: 'PostgreSQL version',
  needs: ['work-connection'],
  run: async ({ work }) => {
    const { rows } = await clientOf(work).query<{ major: number; version: string }>(
      `SELECT current_setting('server_version_num')::integer / 10000 AS major,
              current_setting('server_version') AS version`,
    );
    const { major = 0, version = '' } = rows[0] ?? {};
    return major >= OLDEST_VERSION
      ? ok(version)
      : failed(
          `PostgreSQL ${version} is too old`,
          text('administrator', `Upgrade the server to PostgreSQL ${OLDEST_VERSION} or later.`),
        );
  },
};

export const workWritable: DoctorCheck = {
  id: 'work-writable',
  title: 'writable work database',
  needs: ['work-connection'],
  run: ({ settings, work }) => writable(clientOf(work), settings.work, 'DB_HOST'),
};

export const cronWritable: DoctorCheck = {
  id: 'cron-writable',
  title: 'writable pg_cron database',
  needs: ['cron-connection'],
  run: ({ settings, cron }) => writable(clientOf(cron), settings.cron, 'PG_CRON_HOST'),
};

async function writable(client: ClientBase, settings: ConnectionSettings, hostVariable: string) {
  // The doctor has set the session's own value; reset_val is what the role and the database start with.
  const { rows } = await client.query<{ standby: boolean; read_only: boolean }>(
    `SELECT pg_is_in_recovery() AS standby,
            (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only`,
  );
  if (rows[0]?.standby) {
    return failed(
      `the server at ${address(settings)} is a standby, which is read-only`,
      text('user', `Set ${variable(settings, 'host', hostVariable)} to the primary server.`),
    );
  }
  if (rows[0]?.read_only) {
    return failed(
      `transactions of role "${settings.user}" in database "${settings.database}" are read-only (default_transaction_read_only = on)`,
      text(
        'administrator',
        'Turn off default_transaction_read_only where it was turned on: in postgresql.conf, for the database or for the role (psql: \\drds). In another database, as there nothing can be changed:',
        `  ALTER ROLE ${escapeIdentifier(settings.user)} RESET default_transaction_read_only;`,
        `  ALTER DATABASE ${escapeIdentifier(settings.database)} RESET default_transaction_read_only;`,
      ),
    );
  }
  return ok('yes');
}
