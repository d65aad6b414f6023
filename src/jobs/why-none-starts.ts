import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { unlessRefused } from '../database/unless-refused.js';
import type { Databases } from '../deployment/with-databases.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { judgeLaunch, type Launch } from './launch.js';

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

/** Empty where pg_cron starts the jobs, or it is too early to tell. */
export interface NotStarted {
  /** Why it starts none of them, however they are. */
  readonly notStarted?: string;
  /** That it should have started some, and was not seen to. */
  readonly unknown?: string;
}

/**
 * Why pg_cron starts no job of its database that the settings name, whatever is scheduled there, by where its scheduler
 * is. Undefined where it is there, and on a standby, which never has one.
 */
export async function whyUnserved(
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

/** Whether pg_cron starts none of this deployment's jobs. Nothing of a standby. */
export async function whyNoneStarts(databases: Databases, settings: Settings): Promise<NotStarted> {
  const notStarted = await whyUnserved(databases.cron, settings);
  if (notStarted !== undefined) return { notStarted };
  return (await isStandby(databases.cron)) ? {} : ofLaunch(databases, settings);
}

function ofLaunch(databases: Databases, settings: Settings): Promise<NotStarted> {
  return unlessRefused<NotStarted>(
    async () => saidOf(await judgeLaunch(databases, settings)),
    (said) => ({ unknown: `Whether pg_cron starts jobs is not known: ${said}` }),
  );
}

function saidOf({ verdict, detail }: Launch): NotStarted {
  if (verdict === 'none') return { notStarted: detail };
  return verdict === 'unseen' ? { unknown: detail } : {};
}

async function isStandby(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  return rows[0]?.standby === true;
}
