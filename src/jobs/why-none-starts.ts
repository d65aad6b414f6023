import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';

// A server that has just been started may not have its scheduler yet.
const LOOKS = 3;
const PAUSE_MS = 700;

/**
 * The database whose jobs pg_cron starts, by the session of its scheduler; undefined where none is at work. The
 * scheduler runs as the bootstrap superuser (oid 10), which no other session can fake, and every role can see it.
 */
export async function schedulerDatabase(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT datname::text AS name FROM pg_catalog.pg_stat_activity
      WHERE application_name = 'pg_cron scheduler' AND usesysid = 10 AND datname IS NOT NULL`,
  );
  return rows[0]?.name;
}

/**
 * Why pg_cron starts no job of its database that the settings name, whatever is scheduled there; undefined where it does,
 * and on a standby, which never does.
 */
export async function whyNoneStarts(
  cron: ClientBase,
  { cron: { database } }: Settings,
): Promise<string | undefined> {
  for (let look = 1; look <= LOOKS; look += 1) {
    if (look > 1) await sleep(PAUSE_MS);
    const served = await schedulerDatabase(cron);
    if (served === database || (served === undefined && (await isStandby(cron)))) return undefined;
    if (served !== undefined) {
      return `pg_cron of this server serves database "${shown(served)}", so no job in database "${database}" is started.`;
    }
  }
  return 'No scheduler of pg_cron is at work on this server, so no job is started.';
}

async function isStandby(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  return rows[0]?.standby === true;
}
