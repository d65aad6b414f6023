import type { ClientBase } from 'pg';
import { unlessRefused } from '../database/unless-refused.js';
import type { Databases } from '../deployment/with-databases.js';
import type { Settings } from '../settings/settings.js';
import { type DesiredJob, desiredJobs } from './apply-jobs.js';
import { isAtRest } from './at-rest.js';
import { type OtherJob, type OtherJobs, readOtherJobs } from './other-jobs.js';
import { HIDEABLE, judgeRoom, type Neighbour, type Room, type Shortage } from './room.js';

/** `admin`: connected to the pg_cron database as the administrator, who may see all jobs and settings. */
export interface RoomSites extends Databases {
  readonly admin?: ClientBase | undefined;
}

const SETTINGS = [
  ...HIDEABLE,
  'max_worker_processes',
  'max_connections',
  'superuser_reserved_connections',
  'reserved_connections',
];

/** Whether the desired jobs of this deployment, and those of others, can all run at once. */
export async function readRoom(
  { work, cron, admin }: RoomSites,
  settings: Settings,
  desired: readonly DesiredJob[],
): Promise<Room> {
  const { jobs, isComplete } = await readJobsOfAll({ cron, admin }, settings);
  const permanent = jobs.filter(isPermanent);
  return judgeRoom({
    role: settings.cron.user,
    database: settings.work.database,
    own: desired.filter(({ kind }) => kind === 'processor' || kind === 'maintenance').length,
    others: neighbours(permanent.filter((job) => !isAtRest(job))),
    resting: permanent.filter(isAtRest).length,
    uncounted: jobs.filter(({ active }) => active).length - permanent.length,
    isComplete,
    settings: await readSettings(admin === undefined ? [cron, work] : [cron, work, admin]),
    ...(await readLimits(cron, settings)),
  });
}

/**
 * What does not let all jobs run at once, for the report of a command that has changed them, and does not fail for it.
 * Nothing is said of what these roles may not see: that holds after each run alike, and `doctor` says it.
 */
export function readShortages(databases: Databases, settings: Settings): Promise<Shortage[]> {
  return unlessRefused<Shortage[]>(
    async () => {
      const room = await readRoom(databases, settings, await desiredJobs(databases.work, settings));
      return [...room.shortages];
    },
    () => [],
  );
}

/** As the administrator only where that shows all: to one who is no superuser pg_cron shows fewer than to the cron role. */
async function readJobsOfAll(
  { cron, admin }: Pick<RoomSites, 'cron' | 'admin'>,
  settings: Settings,
): Promise<OtherJobs> {
  const own = await readOtherJobs(cron, settings);
  if (own.isComplete || admin === undefined) return own;
  const all = await readOtherJobs(admin, settings);
  return all.isComplete ? all : own;
}

/** Other jobs of deployments run for a moment. */
function isPermanent({ active, isOfPackage, command }: OtherJob): boolean {
  return active && isOfPackage && command.startsWith('CALL ');
}

function neighbours(jobs: readonly OtherJob[]): Neighbour[] {
  const byPlace = new Map<string, Neighbour>();
  for (const { database, role } of jobs) {
    const place = JSON.stringify([database, role]);
    byPlace.set(place, { database, role, jobs: (byPlace.get(place)?.jobs ?? 0) + 1 });
  }
  return [...byPlace.values()];
}

/** As far as one of these roles may see them; the later ones are asked only for what is missing. */
async function readSettings(viewers: readonly ClientBase[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const viewer of viewers) {
    const { rows } = await viewer.query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY ($1)',
      [SETTINGS],
    );
    for (const { name, setting } of rows) found.set(name, setting);
    if (HIDEABLE.every((name) => found.has(name))) break;
  }
  return found;
}

interface LimitsRow {
  readonly is_superuser: boolean;
  readonly has_reserved: boolean;
  readonly role_limit: number;
  readonly database_limit: number | null;
  readonly sessions: number;
  readonly of_role: number;
  readonly in_database: number;
}

/** Every role may see these. Of whose session another role sees no more than that it is one. */
async function readLimits(cron: ClientBase, { cron: { user }, work: { database } }: Settings) {
  const { rows } = await cron.query<LimitsRow>(
    `SELECT me.rolsuper AS is_superuser,
            me.rolsuper OR coalesce(pg_catalog.pg_has_role(me.oid, reserved.oid, 'USAGE'), false)
              AS has_reserved,
            me.rolconnlimit AS role_limit,
            (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = $2) AS database_limit,
            others.*
       FROM pg_catalog.pg_roles AS me
       LEFT JOIN pg_catalog.pg_roles AS reserved ON reserved.rolname = 'pg_use_reserved_connections'
      CROSS JOIN (
        SELECT count(*)::integer AS sessions,
               (count(*) FILTER (WHERE usename = $1))::integer AS of_role,
               (count(*) FILTER (WHERE datname = $2))::integer AS in_database
          FROM pg_catalog.pg_stat_activity
         WHERE usesysid IS NOT NULL AND datid IS NOT NULL
           AND coalesce(backend_type, 'client backend') = 'client backend'
           AND application_name <> 'pcache-migrate' AND application_name !~ '^pg_cron'
      ) AS others
      WHERE me.rolname = $1`,
    [user, database],
  );
  const [row] = rows;
  return {
    isSuperuser: row?.is_superuser ?? false,
    hasReserved: row?.has_reserved ?? false,
    roleLimit: row?.role_limit ?? -1,
    databaseLimit: row?.database_limit ?? -1,
    sessions: {
      all: row?.sessions ?? 0,
      ofRole: row?.of_role ?? 0,
      inDatabase: row?.in_database ?? 0,
    },
  };
}
