import { type ClientBase, escapeIdentifier } from 'pg';
import { copyRow } from '../../database/copy-row.js';
import { isServersRefusal } from '../../database/database-error.js';
import type { Settings } from '../../settings/settings.js';
import { type Finding, failed, ok, sql, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { checkGrants, type Grant, onDatabase, onFunction, onSchema } from '../grants.js';
import { clientOf } from '../reach.js';
import { oneLine, variable } from '../wording.js';

export const dblinkExtension: DoctorCheck = {
  id: 'dblink-extension',
  title: 'extension dblink',
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const { database } = settings.work;
    const client = clientOf(work);
    if ((await dblinkSchema(client)) !== undefined) return ok('installed');
    const { rowCount } = await client.query(
      "SELECT FROM pg_available_extensions WHERE name = 'dblink'",
    );
    const detail = `missing in database "${database}", and PCACHE_CRON_TRANSPORT is link`;
    return rowCount === 0
      ? failed(
          `${detail}; the server does not have it`,
          text(
            'administrator',
            "Install PostgreSQL's contrib modules on the server's machine, or set PCACHE_CRON_TRANSPORT to deploy.",
          ),
        )
      : failed(
          detail,
          sql(
            'administrator',
            database,
            `CREATE EXTENSION dblink SCHEMA ${escapeIdentifier(settings.clientSchema)};`,
          ),
        );
  },
};

export const dblinkUsage: DoctorCheck = {
  id: 'dblink-usage',
  title: 'migrator: use of dblink',
  needs: ['dblink-extension'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { user, database } = settings.work;
    return checkGrants({
      client,
      database,
      by: 'administrator',
      grants: dblinkGrants(user, database, (await dblinkSchema(client)) ?? ''),
      without: 'the link can be neither tried nor used',
    });
  },
};

function dblinkGrants(role: string, database: string, schema: string): Grant[] {
  return [
    onDatabase(role, database, 'TEMPORARY'),
    onSchema(role, schema, 'USAGE'),
    onFunction(role, schema, 'dblink_connect', 'text, text'),
    onFunction(role, schema, 'dblink', 'text, text'),
    onFunction(role, schema, 'dblink_disconnect', 'text'),
  ];
}

async function dblinkSchema(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT nspname::text AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
      WHERE extname = 'dblink'`,
  );
  return rows[0]?.schema;
}

export const linkLogin: DoctorCheck = {
  id: 'link-login',
  title: 'link to the pg_cron database',
  needs: ['dblink-usage', 'work-writable', 'cron-connection', 'same-cluster'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { rows } = await client.query<{ port: string; started: string }>(
      `SELECT current_setting('port') AS port, (${STARTED}) AS started`,
    );
    const port = settings.link.port ?? Number(rows[0]?.port);
    const target = `database "${settings.cron.database}" on ${settings.link.host}:${port}`;
    try {
      const started = await tryLink(client, settings, port);
      if (started === rows[0]?.started) return ok(`${target} as role "${settings.cron.user}"`);
      return failed(
        `${target}, as the server sees it, is another server`,
        text(
          'user',
          `Set ${LINK_ADDRESS} to the address where the server reaches itself, or unset them.`,
        ),
      );
    } catch (error) {
      if (!isServersRefusal(error)) throw error;
      return error.code === NO_PASSWORD_ASKED
        ? noPasswordAsked(settings, target)
        : notConnected(
            settings,
            target,
            oneLine([error.message, error.detail].filter(Boolean).join(': ')),
          );
    }
  },
};

const STARTED = 'SELECT extract(epoch FROM pg_postmaster_start_time())::text';
const LINK_ADDRESS = 'PCACHE_LINK_HOST and PCACHE_LINK_PORT';
const CONNECTION = 'pcache_migrate_doctor';
const TRIAL = 'pcache_migrate_doctor_link';
const CONNECT_TIMEOUT_SECONDS = 10;

// The SQLSTATE that dblink uses for this (prohibited_sql_statement_attempted).
const NO_PASSWORD_ASKED = '2F003';

/** Returns the start time of the server at the other end. */
async function tryLink(client: ClientBase, settings: Settings, port: number): Promise<string> {
  const schema = escapeIdentifier((await dblinkSchema(client)) ?? '');
  await connectLink(client, schema, connectionString(settings, port));
  try {
    const { rows } = await client.query<{ started: string }>(
      `SELECT started FROM ${schema}.dblink($1, $2) AS answer (started text)`,
      [CONNECTION, STARTED],
    );
    return rows[0]?.started ?? '';
  } finally {
    await client.query(`SELECT ${schema}.dblink_disconnect($1)`, [CONNECTION]);
  }
}

/** In a statement, or among its parameters, the server might log the password. */
async function connectLink(client: ClientBase, schema: string, connection: string): Promise<void> {
  // The connection outlives the rollback.
  await client.query('BEGIN READ WRITE');
  try {
    await client.query(`CREATE TEMPORARY TABLE ${TRIAL} (connection text)`);
    await copyRow(client, `pg_temp.${TRIAL}`, [connection]);
    await client.query(
      `SELECT ${schema}.dblink_connect($1, (SELECT connection FROM pg_temp.${TRIAL}))`,
      [CONNECTION],
    );
  } finally {
    await client.query('ROLLBACK');
  }
}

function connectionString({ link, cron }: Settings, port: number): string {
  const parameters = {
    host: link.host,
    port: String(port),
    dbname: cron.database,
    user: cron.user,
    password: cron.password ?? '',
    connect_timeout: String(CONNECT_TIMEOUT_SECONDS),
  };
  return Object.entries(parameters)
    .map(([name, value]) => `${name}='${value.replace(/[\\']/gu, '\\$&')}'`)
    .join(' ');
}

function noPasswordAsked({ link, cron }: Settings, target: string): Finding {
  const [kind, from] = link.host.startsWith('/') ? ['local', ''] : ['host', 'samehost '];
  return failed(
    `${target} lets role "${cron.user}" in without asking for a password (trust, peer or a certificate in pg_hba.conf), and dblink then refuses to serve a role that is not a superuser`,
    text(
      'administrator',
      'In pg_hba.conf, add this above the line that lets the role in:',
      `  ${kind} ${escapeIdentifier(cron.database)} ${escapeIdentifier(cron.user)} ${from}scram-sha-256`,
      'Then reload it: SELECT pg_reload_conf();',
      'Or set PCACHE_LINK_HOST to an address where the server does ask for a password, or PCACHE_CRON_TRANSPORT to deploy.',
    ),
  );
}

function notConnected({ cron }: Settings, target: string, said: string): Finding {
  return failed(
    `from within the server, ${target} can't be reached as role "${cron.user}": ${said}`,
    text(
      'user',
      `Set ${LINK_ADDRESS} to the address where the server reaches itself (as seen from the server, not from here), and check ${variable(cron, 'password', 'PG_CRON_PASSWORD')}.`,
      'If the server says that pg_hba.conf has no entry, add one for this role with scram-sha-256.',
      'Or set PCACHE_CRON_TRANSPORT to deploy.',
    ),
  );
}
