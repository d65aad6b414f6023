import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { ConnectionSettings } from '../settings/settings.js';
import { sqlState } from './database-error.js';

/** Something had to be written where nothing can be. */
export class ReadOnlyDatabaseError extends PcacheError {
  override readonly name = 'ReadOnlyDatabaseError';
}

/** The error itself, or what it means if it says that a transaction is read-only. */
export async function asReadOnlyDatabase(
  client: ClientBase,
  { host, port, database, user, variables }: ConnectionSettings,
  error: unknown,
): Promise<unknown> {
  if (!saysReadOnly(error)) return error;
  const where = `database "${database}" at ${host}:${port}`;
  const hostVariable = variables?.host ?? 'the host';
  try {
    // An open transaction may be aborted.
    await client.query('ROLLBACK');
    if (await isStandby(client)) {
      return new ReadOnlyDatabaseError(
        `Nothing can be written in ${where}: it is a standby, which follows another server.`,
        {
          remedy: `Type it at the primary: set ${hostVariable} to ${await primaryOf(client)}. If that is lost, promote this one first: SELECT pg_promote();`,
          cause: error,
        },
      );
    }
    // Else another session said so, which is about to be asked as well.
    if (!(await isReadOnly(client))) return error;
  } catch {
    return error;
  }
  return new ReadOnlyDatabaseError(
    `Nothing can be written in ${where}: transactions of role "${user}" are read-only there, by default_transaction_read_only.`,
    {
      remedy: `Find out who set that and why (SELECT * FROM pg_db_role_setting;), and then, as the administrator, in another database: ALTER DATABASE "${database}" RESET default_transaction_read_only; or ALTER ROLE "${user}" RESET default_transaction_read_only; or ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();`,
      cause: error,
    },
  );
}

function saysReadOnly(error: unknown): boolean {
  if (error instanceof ReadOnlyDatabaseError) return false;
  if (sqlState(error) === '25006') return true;
  return error instanceof Error && error.cause !== undefined && saysReadOnly(error.cause);
}

async function isStandby(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  return rows[0]?.standby === true;
}

async function isReadOnly(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ setting: string }>(
    "SELECT pg_catalog.current_setting('default_transaction_read_only') AS setting",
  );
  return rows[0]?.setting === 'on';
}

/** Only some roles may see where a standby gets its changes from. */
async function primaryOf(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ primary: string | null }>(
    "SELECT sender_host || ':' || sender_port AS primary FROM pg_catalog.pg_stat_wal_receiver",
  );
  const primary = rows[0]?.primary;
  return primary == null ? 'its host' : shown(primary);
}
