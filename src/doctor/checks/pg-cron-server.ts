import type { ClientBase } from 'pg';
import { sqlState } from '../../database/database-error.js';
import { failed, ok, text, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { servedDatabase } from '../served-database.js';
import { serverSetting } from '../server-setting.js';
import { address, variable } from '../wording.js';

export const pgCronLoaded: DoctorCheck = {
  id: 'pg-cron-loaded',
  title: 'pg_cron in shared_preload_libraries',
  needs: ['cron-connection', 'same-cluster'],
  run: async (context) => {
    const { settings } = context;
    const seen = await databaseNameSetting(clientOf(context.cron));
    const visible = await serverSetting(context, 'cron.database_name');
    if (seen === 'hidden' || visible !== undefined) return ok('yes');
    return failed(
      `pg_cron is not in shared_preload_libraries of the server at ${address(settings.cron)}, so no job can run` +
        (seen === undefined ? '' : ' (cron.database_name is set, but that alone loads nothing)'),
      text(
        'administrator',
        ...(await packageLines(clientOf(context.cron))),
        'In postgresql.conf, keep what shared_preload_libraries already lists and append pg_cron:',
        ...(await confLines(context)),
        'Then restart the server: a reload is not enough.',
      ),
    );
  },
};

/**
 * The setting as the role sees it. If pg_cron is loaded, it hides the setting from all but superusers and
 * pg_read_all_settings. If not, it is a value in postgresql.conf that nothing reads, or undefined.
 */
async function databaseNameSetting(cron: ClientBase): Promise<string | 'hidden' | undefined> {
  try {
    const { rows } = await cron.query<{ value: string | null }>(
      "SELECT current_setting('cron.database_name', true) AS value",
    );
    return rows[0]?.value ?? undefined;
  } catch (error) {
    if (sqlState(error) === '42501') return 'hidden';
    throw error;
  }
}

async function packageLines(cron: ClientBase): Promise<string[]> {
  const { rows } = await cron.query<{ installed: boolean; major: number }>(
    `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron') AS installed,
            current_setting('server_version_num')::integer / 10000 AS major`,
  );
  return rows[0]?.installed
    ? []
    : [
        `Install pg_cron for PostgreSQL ${rows[0]?.major} on the server's machine (on Debian and Ubuntu: apt-get install postgresql-${rows[0]?.major}-cron).`,
      ];
}

async function confLines(context: Context): Promise<string[]> {
  const listed = await serverSetting(context, 'shared_preload_libraries');
  const libraries = listed ? `${listed},pg_cron` : 'pg_cron';
  return [
    `  shared_preload_libraries = ${confValue(libraries)}`,
    `  cron.database_name = ${confValue(context.settings.cron.database)}`,
  ];
}

function confValue(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export const pgCronDatabase: DoctorCheck = {
  id: 'pg-cron-database',
  title: 'database that pg_cron serves',
  needs: ['pg-cron-loaded'],
  run: async (context) => {
    const wanted = context.settings.cron.database;
    const actual = await servedDatabase(context);
    if (actual === undefined) {
      return warning(
        'no scheduler process of pg_cron is visible: it may not be running',
        text(
          'administrator',
          `See the server's log. Most often, the database that cron.database_name names does not exist; the setting should be ${confValue(wanted)}.`,
        ),
      );
    }
    if (actual === wanted) return ok(`"${actual}"`);
    const name = variable(context.settings.cron, 'database', 'PG_CRON_DATABASE');
    return failed(
      `pg_cron serves database "${actual}" (cron.database_name), not "${wanted}" (${name}), and a server has only one such database`,
      text(
        'administrator',
        `Either set PG_CRON_DATABASE to ${actual}.`,
        `Or move pg_cron, which ends every job scheduled in "${actual}": pcache-migrate mode ${context.settings.mode} moves a deployment that stands, and says what to type. For a new one, set in postgresql.conf`,
        `  cron.database_name = ${confValue(wanted)}`,
        `restart the server, and in database "${wanted}" run: CREATE EXTENSION pg_cron;`,
      ),
    );
  },
};
