import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { isStandby } from '../database/is-standby.js';
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

/** `here`: in the database that the settings name. */
type Scheduler = 'here' | 'none, on a standby' | 'none' | { readonly elsewhere: string };

async function findScheduler(cron: ClientBase, { cron: place }: Settings): Promise<Scheduler> {
  for (let look = 1; look <= LOOKS; look += 1) {
    if (look > 1) await sleep(PAUSE_MS);
    const served = await schedulerDatabase(cron);
    if (served !== undefined) return served === place.database ? 'here' : { elsewhere: served };
    if (await isStandby(cron)) return 'none, on a standby';
  }
  return 'none';
}

function whyNoneFrom(scheduler: Scheduler, { cron: { database } }: Settings): string | undefined {
  if (typeof scheduler === 'object') {
    return `pg_cron of this server serves database "${shown(scheduler.elsewhere)}", so no job in database "${database}" is started.`;
  }
  return scheduler === 'none'
    ? 'No scheduler of pg_cron is at work on this server, so no job is started.'
    : undefined;
}

/**
 * Why pg_cron starts no job of its database that the settings name, whatever is scheduled there, by where its scheduler
 * is. Undefined where it is there, and on a standby, which never has one.
 */
export async function whyUnserved(
  cron: ClientBase,
  settings: Settings,
): Promise<string | undefined> {
  return whyNoneFrom(await findScheduler(cron, settings), settings);
}

/** Whether pg_cron starts none of this deployment's jobs. Nothing of a standby. */
export async function whyNoneStarts(databases: Databases, settings: Settings): Promise<NotStarted> {
  const scheduler = await findScheduler(databases.cron, settings);
  if (scheduler === 'here') return ofLaunch(databases, settings);
  const notStarted = whyNoneFrom(scheduler, settings);
  return notStarted === undefined ? {} : { notStarted };
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
