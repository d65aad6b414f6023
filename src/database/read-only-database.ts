import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { ConnectionSettings } from '../settings/settings.js';
import { sqlState } from './database-error.js';
import { isStandby } from './is-standby.js';

/** Something had to be written where nothing can be. */
export class ReadOnlyDatabaseError extends PcacheError {
  override readonly name = 'ReadOnlyDatabaseError';
}

export interface WhyReadOnly {
  readonly what: string;
  readonly remedy: string;
  /** Whether that goes for every role, and not for this one alone. */
  readonly isForAll: boolean;
}

/** Why nothing can be written where this client is; undefined where it can. */
export async function whyReadOnly(
  client: ClientBase,
  { host, port, database, user, variables }: ConnectionSettings,
): Promise<WhyReadOnly | undefined> {
  const where = `database "${database}" at ${host}:${port}`;
  if (await isStandby(client)) {
    return {
      what: `Nothing can be written in ${where}: it is a standby, which follows another server.`,
      remedy: `Type it at the primary: set ${variables?.host ?? 'the host'} to ${await primaryOf(client)}. If that is lost, promote this one first: SELECT pg_promote();`,
      isForAll: true,
    };
  }
  const { setting, source } = await readOnlyByDefault(client);
  return setting === 'on'
    ? {
        what: `Nothing can be written in ${where}: transactions of role "${user}" are read-only there, by default_transaction_read_only.`,
        remedy: `Find out who set that and why (SELECT * FROM pg_db_role_setting;), and then, as the administrator, in another database: ALTER DATABASE "${database}" RESET default_transaction_read_only; or ALTER ROLE "${user}" RESET default_transaction_read_only; or ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();`,
        isForAll: source !== 'user' && source !== 'database user',
      }
    : undefined;
}

/** The error itself, or what it means if it says that a transaction is read-only. */
export async function asReadOnlyDatabase(
  client: ClientBase,
  connection: ConnectionSettings,
  error: unknown,
): Promise<unknown> {
  if (!saysReadOnly(error)) return error;
  try {
    // An open transaction may be aborted.
    await client.query('ROLLBACK');
    const found = await whyReadOnly(client, connection);
    // Else another session said so, which is about to be asked as well.
    return found === undefined
      ? error
      : new ReadOnlyDatabaseError(found.what, { remedy: found.remedy, cause: error });
  } catch {
    return error;
  }
}

function saysReadOnly(error: unknown): boolean {
  if (error instanceof ReadOnlyDatabaseError) return false;
  if (sqlState(error) === '25006') return true;
  return error instanceof Error && error.cause !== undefined && saysReadOnly(error.cause);
}

async function readOnlyByDefault(
  client: ClientBase,
): Promise<{ readonly setting?: string; readonly source?: string }> {
  const { rows } = await client.query<{ setting: string; source: string }>(
    `SELECT setting, source FROM pg_catalog.pg_settings
      WHERE name = 'default_transaction_read_only'`,
  );
  return rows[0] ?? {};
}

/** Only some roles may see where a standby gets its changes from. */
async function primaryOf(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ primary: string | null }>(
    "SELECT sender_host || ':' || sender_port AS primary FROM pg_catalog.pg_stat_wal_receiver",
  );
  const primary = rows[0]?.primary;
  return primary == null ? 'its host' : shown(primary);
}
