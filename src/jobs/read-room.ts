import type { ClientBase } from 'pg';
import { ConnectionError } from '../database/connection-error.js';
import { remedyOf } from '../database/remedy-of.js';
import { unlessRefused } from '../database/unless-refused.js';
import { type Reached, withClientIfReachable } from '../database/with-client-if-reachable.js';
import type { Databases } from '../deployment/with-databases.js';
import { asAdministrator, type LoginSettings, type Settings } from '../settings/settings.js';
import { type DesiredJob, desiredJobs } from './apply-jobs.js';
import { isAtRest } from './at-rest.js';
import { type OtherJob, type OtherJobs, readOtherJobs } from './other-jobs.js';
import {
  HIDEABLE,
  judgeRoom,
  type Neighbour,
  type Room,
  type RoomFacts,
  type RoomReport,
  unknownRoom,
} from './room.js';

const SETTINGS = [
  ...HIDEABLE,
  'max_worker_processes',
  'max_connections',
  'superuser_reserved_connections',
  'reserved_connections',
];

/** Has `look` done over a connection of the administrator's, or with the reason why there is none. */
export type AskAdministrator = (
  admin: LoginSettings,
  look: (reached: Reached) => Promise<Seen>,
) => Promise<Seen>;

/** What these roles may see of the limits and the jobs. */
interface Seen {
  readonly settings: ReadonlyMap<string, string>;
  readonly jobs: OtherJobs;
  readonly administrator?: RoomFacts['administrator'];
}

/**
 * Whether the desired jobs of this deployment, and those of others, can all run at once. What our roles may not see is
 * asked as the administrator, if the settings name one.
 */
export async function readRoom(
  databases: Databases,
  settings: Settings,
  desired: readonly DesiredJob[],
  askAdministrator: AskAdministrator = connecting(settings),
): Promise<Room> {
  const { cron } = databases;
  const { jobs, ...seen } = await readSeen(databases, settings, askAdministrator);
  const permanent = jobs.jobs.filter(isPermanent);
  return judgeRoom({
    role: settings.cron.user,
    database: settings.work.database,
    cronDatabase: settings.cron.database,
    own: desired.filter(({ kind }) => kind === 'processor' || kind === 'maintenance').length,
    others: neighbours(permanent.filter((job) => !isAtRest(job))),
    resting: permanent.filter(isAtRest).length,
    uncounted: jobs.jobs.filter(({ active }) => active).length - permanent.length,
    isComplete: jobs.isComplete,
    schedulers: jobs.isComplete ? [] : await readSchedulers(cron, settings),
    administrator: seen.administrator,
    settings: seen.settings,
    ...(await readLimits(cron, settings)),
  });
}

/** For the report of a command that has changed the jobs, and does not fail for what cannot be told. */
export function reportRoom(
  databases: Databases,
  settings: Settings,
  desired?: readonly DesiredJob[],
): Promise<RoomReport> {
  return unlessRefused<RoomReport>(
    async () => {
      const jobs = desired ?? (await desiredJobs(databases.work, settings));
      const { verdict, shortages, unknown } = await readRoom(databases, settings, jobs);
      return { verdict, shortages, unknown };
    },
    (said, error) => unknownRoom(said, remedyOf(error)),
    // Lost by the administrator, whose look is the only one that connects.
    (error) => error instanceof ConnectionError,
  );
}

function connecting({ cron }: Settings): AskAdministrator {
  return (admin, look) => withClientIfReachable(asAdministrator(cron, admin), look);
}

async function readSeen(
  { work, cron }: Databases,
  settings: Settings,
  askAdministrator: AskAdministrator,
): Promise<Seen> {
  const { admin } = settings;
  const own: Seen = {
    settings: await readSettings([cron, work]),
    jobs: await readOtherJobs(cron, settings),
  };
  if (admin === undefined || (own.jobs.isComplete && isAll(own.settings))) return own;
  return askAdministrator(admin, async ({ client, failure }) => {
    if (client === undefined) {
      return { ...own, administrator: { user: admin.user, failure: failure.message } };
    }
    const all = await readOtherJobs(client, settings);
    return {
      settings: new Map([...own.settings, ...(await readSettings([client]))]),
      // To one who is no superuser pg_cron shows fewer than to the cron role.
      jobs: all.isComplete ? all : own.jobs,
      administrator: { user: admin.user },
    };
  });
}

function isAll(settings: ReadonlyMap<string, string>): boolean {
  return HIDEABLE.every((name) => settings.has(name));
}

/** Who else may have jobs there; superusers may anywhere. */
async function readSchedulers(cron: ClientBase, { cron: { user } }: Settings): Promise<string[]> {
  const { rows } = await cron.query<{ name: string }>(
    `SELECT r.rolname::text AS name
       FROM pg_catalog.pg_roles AS r JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'cron'
      WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> $1
        AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
      ORDER BY r.rolname`,
    [user],
  );
  return rows.map(({ name }) => name);
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
    if (isAll(found)) break;
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
           AND application_name NOT IN ('pcache-migrate', 'pg_cron', 'pg_cron scheduler')
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
