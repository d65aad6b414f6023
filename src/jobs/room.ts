import { escapeIdentifier } from 'pg';
import { pasteable, shown } from '../errors/shown.js';

/** The settings of pg_cron's that only superusers and members of pg_read_all_settings may see. */
export const HIDEABLE = ['cron.max_running_jobs', 'cron.use_background_workers'] as const;

/** What is read of a server, to judge whether its jobs have room. */
export interface RoomFacts {
  /** The role that the jobs of this deployment run as. */
  readonly role: string;
  /** The work database. */
  readonly database: string;
  /** How many jobs of this deployment can run at once. */
  readonly own: number;
  /** Likewise of other deployments in this pg_cron, as far as they are seen. */
  readonly others: readonly Neighbour[];
  /** Jobs of other deployments that are not due until those have work. */
  readonly resting: number;
  /** Jobs there that start at times of their own: of applications, and those of deployments that end at once. */
  readonly uncounted: number;
  /** Whether the jobs of every role were seen. */
  readonly isComplete: boolean;
  /** Other roles that may have jobs there, superusers aside; none where all were seen. */
  readonly schedulers: readonly string[];
  /** Whom PG_ADMIN_USER names, once that role was asked for what was missing; `failure`: why it could not be. */
  readonly administrator: { readonly user: string; readonly failure?: string } | undefined;
  /** The name of the pg_cron database. */
  readonly cronDatabase: string;
  /** Those that may be seen, by name. */
  readonly settings: ReadonlyMap<string, string>;
  readonly isSuperuser: boolean;
  /** Whether the role may have what reserved_connections sets aside (PostgreSQL 16). */
  readonly hasReserved: boolean;
  /** CONNECTION LIMIT of the role and of the work database; negative means none. */
  readonly roleLimit: number;
  readonly databaseLimit: number;
  /** Sessions of clients now that are neither pg_cron's nor this package's. */
  readonly sessions: {
    readonly all: number;
    readonly ofRole: number;
    readonly inDatabase: number;
  };
}

/** Another deployment in the same pg_cron. */
export interface Neighbour {
  readonly database: string;
  readonly role: string;
  readonly jobs: number;
}

/** A limit that does not let all jobs run at once. */
export interface Shortage {
  /** `cron.max_running_jobs`, `max_worker_processes`, `max_connections`, `role` or `database`. */
  readonly limit: LimitName;
  /** What it is set to. */
  readonly value: number;
  /** How many jobs that lets run at once, beside what else needs it now. */
  readonly allows: number;
  /** How many jobs under this limit can be due at once. */
  readonly needs: number;
  /** A sentence, without a full stop. */
  readonly detail: string;
  /** What to paste as an administrator, and what else helps. */
  readonly remedy: readonly string[];
}

export type LimitName =
  | 'cron.max_running_jobs'
  | 'max_worker_processes'
  | 'max_connections'
  | 'role'
  | 'database';

/** What could not be read, so that there may be too little room though no limit is named. */
export interface UnknownRoom {
  /** Why, without a full stop. */
  readonly reason: string;
  /** What to paste as an administrator, and what else helps. */
  readonly remedy: readonly string[];
}

/** For a report. `unknown`: no limit is known to be too low, and not all could be read. */
export interface RoomReport {
  readonly verdict: 'enough' | 'short' | 'unknown';
  readonly shortages: readonly Shortage[];
  readonly unknown: readonly UnknownRoom[];
}

export interface Room extends RoomReport {
  /** How many jobs can run at once, whose, and which limits they keep to. */
  readonly detail: string;
  /** Sentences on jobs that are there and were not counted. */
  readonly notes: readonly string[];
}

/** Taken by pg_cron's scheduler and the logical replication launcher. */
const WORKERS_TAKEN = 2;

/** What share_of_places in the pg_cron database leaves free. */
const ENDING_AT_ONCE = 1;

/** Kept for a command of this package, which logs in to two databases, in single mode as one role to one of them. */
const OWN_SESSIONS = 2;

interface Limit {
  readonly name: LimitName;
  /** With its value, in a sentence. */
  readonly title: string;
  readonly value: number;
  /** What else needs it, and in words. */
  readonly taken: number;
  readonly takenBy: string;
  readonly jobs: Needs;
  /** Sets it to a number. */
  readonly line: (value: number) => string;
}

interface Needs {
  readonly own: number;
  readonly others: readonly Neighbour[];
}

/** Whether all jobs of this pg_cron that are seen can run at once. */
export function judgeRoom(facts: RoomFacts): Room {
  const limits = limitsOf(facts);
  return {
    ...roomReport(
      limits.flatMap((limit) => shortageOf(limit, facts)),
      [...hiddenSettings(facts), ...hiddenJobs(facts)],
    ),
    detail: [
      jobsText(facts),
      ...(limits.length === 0 ? [] : [limits.map(({ title }) => title).join(', ')]),
    ].join('; '),
    notes: notesOf(facts),
  };
}

export function roomReport(
  shortages: readonly Shortage[],
  unknown: readonly UnknownRoom[],
): RoomReport {
  const verdict = shortages.length > 0 ? 'short' : unknown.length > 0 ? 'unknown' : 'enough';
  return { verdict, shortages, unknown };
}

/** Of a look that was refused. */
export function unknownRoom(said: string, remedy: string | undefined): RoomReport {
  return roomReport(
    [],
    [
      {
        reason: inOneLine(said),
        remedy: remedy === undefined ? [] : [inOneLine(remedy)],
      },
    ],
  );
}

function inOneLine(said: string): string {
  return shown(said.replaceAll(/\s*\n\s*/g, '; '));
}

function hiddenSettings({ settings, role, administrator }: RoomFacts): UnknownRoom[] {
  const hidden = HIDEABLE.filter((name) => !settings.has(name));
  if (hidden.length === 0) return [];
  return [
    {
      reason: shown(
        `${hidden.join(' and ')} ${hidden.length === 1 ? 'is' : 'are'} hidden from the roles of this deployment${alsoFrom(administrator)}`,
      ),
      remedy: [
        pasteable(`GRANT pg_read_all_settings TO ${escapeIdentifier(role)};`),
        ...asAdministratorInstead(administrator),
      ],
    },
  ];
}

/** Where none but superusers may have jobs, a note is enough. */
function hiddenJobs({ role, schedulers, administrator, cronDatabase }: RoomFacts): UnknownRoom[] {
  if (schedulers.length === 0) return [];
  const named = schedulers.slice(0, NAMED).map((name) => `"${name}"`);
  const more = schedulers.length - named.length;
  return [
    {
      reason: shown(
        `jobs of other roles are hidden from role "${role}"${alsoFrom(administrator)}, and ${[...named, ...(more === 0 ? [] : [`${more} more`])].join(', ')} may have some here`,
      ),
      remedy: [
        `To see them, in database "${shown(cronDatabase)}": SELECT database, username, count(*) FROM cron.job WHERE active GROUP BY 1, 2;`,
        ...asAdministratorInstead(administrator),
      ],
    },
  ];
}

function alsoFrom(administrator: RoomFacts['administrator']): string {
  if (administrator === undefined) return '';
  const who = `role "${administrator.user}" (PG_ADMIN_USER)`;
  return administrator.failure === undefined
    ? `, and from ${who}`
    : ` (${who} could not be asked: ${inOneLine(administrator.failure)})`;
}

function asAdministratorInstead(administrator: RoomFacts['administrator']): string[] {
  return administrator === undefined
    ? ['Or set PG_ADMIN_USER and PG_ADMIN_PASSWORD for this command: it asks as that role then.']
    : ['Or have PG_ADMIN_USER and PG_ADMIN_PASSWORD name a superuser: it is asked then.'];
}

// Those that another one depends on come first: pg_cron takes no higher cron.max_running_jobs than they allow.
function limitsOf(facts: RoomFacts): Limit[] {
  const background = facts.settings.get('cron.use_background_workers');
  return [
    // Which of the two pools the jobs take from is hidden then. The usual one is that of connections.
    ...(background === 'on' ? workersLimit(facts) : loginLimits(facts)),
    ...runningLimit(facts),
  ];
}

function runningLimit({ settings, own, others }: RoomFacts): Limit[] {
  const value = numberOf(settings, 'cron.max_running_jobs');
  if (value === undefined) return [];
  return [
    {
      name: 'cron.max_running_jobs',
      title: `cron.max_running_jobs = ${value}`,
      value,
      taken: ENDING_AT_ONCE,
      takenBy: `${ENDING_AT_ONCE} for jobs that end at once`,
      jobs: { own, others },
      line: (number) => {
        const line = settingLine('cron.max_running_jobs', number);
        const first = whatBoundsRunning(settings, number);
        return first === undefined ? line : `${line}, once ${first} is raised and in effect`;
      },
    },
  ];
}

/** pg_cron refuses a number of running jobs that is higher than another setting lets it have. */
function whatBoundsRunning(
  settings: ReadonlyMap<string, string>,
  wanted: number,
): string | undefined {
  const name =
    settings.get('cron.use_background_workers') === 'on'
      ? 'max_worker_processes'
      : 'max_connections';
  const highest = numberOf(settings, name);
  return highest !== undefined && wanted >= highest ? name : undefined;
}

function workersLimit({ settings, own, others }: RoomFacts): Limit[] {
  const value = numberOf(settings, 'max_worker_processes');
  if (value === undefined) return [];
  return [
    {
      name: 'max_worker_processes',
      title: `max_worker_processes = ${value}`,
      value,
      taken: WORKERS_TAKEN,
      takenBy: `${WORKERS_TAKEN} for pg_cron's scheduler and the replication launcher; parallel workers of queries come from the same pool`,
      jobs: { own, others },
      line: (number) => settingLine('max_worker_processes', number),
    },
  ];
}

/** Of jobs that log in. PostgreSQL counts no background worker for them. */
function loginLimits(facts: RoomFacts): Limit[] {
  return [...connectionsLimit(facts), ...roleLimit(facts), ...databaseLimit(facts)];
}

function connectionsLimit({ settings, sessions, ...facts }: RoomFacts): Limit[] {
  const value = numberOf(settings, 'max_connections');
  if (value === undefined) return [];
  const reserved =
    (facts.isSuperuser ? 0 : (numberOf(settings, 'superuser_reserved_connections') ?? 0)) +
    (facts.hasReserved ? 0 : (numberOf(settings, 'reserved_connections') ?? 0));
  return [
    {
      name: 'max_connections',
      title: `max_connections = ${value}`,
      value,
      taken: reserved + sessions.all + OWN_SESSIONS,
      takenBy: `${reserved} reserved, ${sessionsText(sessions.all)}`,
      jobs: facts,
      line: (number) => settingLine('max_connections', number),
    },
  ];
}

function roleLimit({ role, roleLimit, sessions, ...facts }: RoomFacts): Limit[] {
  return connectionLimit(facts, {
    name: 'role',
    title: `CONNECTION LIMIT ${roleLimit} of role "${role}"`,
    value: roleLimit,
    sessions: sessions.ofRole,
    others: facts.others.filter((other) => other.role === role),
    line: (number) => roleLimitLine(role, number),
  });
}

function databaseLimit({ database, databaseLimit, sessions, ...facts }: RoomFacts): Limit[] {
  return connectionLimit(facts, {
    name: 'database',
    title: `CONNECTION LIMIT ${databaseLimit} of database "${database}"`,
    value: databaseLimit,
    sessions: sessions.inDatabase,
    others: facts.others.filter((other) => other.database === database),
    line: (number) => databaseLimitLine(database, number),
  });
}

interface ConnectionLimit extends Pick<Limit, 'name' | 'title' | 'value' | 'line'> {
  readonly sessions: number;
  readonly others: readonly Neighbour[];
}

/** None of a superuser's. */
function connectionLimit(
  { isSuperuser, own }: Pick<RoomFacts, 'isSuperuser' | 'own'>,
  { sessions, others, ...limit }: ConnectionLimit,
): Limit[] {
  if (isSuperuser || limit.value < 0) return [];
  return [
    {
      ...limit,
      taken: sessions + OWN_SESSIONS,
      takenBy: sessionsText(sessions),
      jobs: { own, others },
    },
  ];
}

/** A negative number means no limit. */
export function roleLimitLine(role: string, number: number): string {
  return pasteable(`ALTER ROLE ${escapeIdentifier(role)} CONNECTION LIMIT ${number};`);
}

export function databaseLimitLine(database: string, number: number): string {
  return pasteable(`ALTER DATABASE ${escapeIdentifier(database)} CONNECTION LIMIT ${number};`);
}

function sessionsText(others: number): string {
  return `${others} for other sessions of now and ${OWN_SESSIONS} for a command of pcache-migrate`;
}

function shortageOf(limit: Limit, { settings }: RoomFacts): Shortage[] {
  const { name, title, value, taken, takenBy, jobs, line } = limit;
  const needs = sum(jobs);
  const allows = Math.max(0, value - taken);
  if (needs <= allows) return [];
  const isLogin = name === 'max_connections' || name === 'role' || name === 'database';
  const unsure =
    isLogin && !settings.has('cron.use_background_workers')
      ? ', unless cron.use_background_workers is on, which is hidden'
      : '';
  const less = needs - allows;
  return [
    {
      limit: name,
      value,
      allows,
      needs,
      detail: shown(
        `${jobsText(jobs)}, and ${title}${takenBy === '' ? '' : ` (less ${takenBy})`} lets at most ${allows} run at once: the others start late or not at all${unsure}`,
      ),
      remedy: [
        line(needs + taken),
        ...(less < jobs.own
          ? [
              `Or lower max_parallel_jobs of this deployment's processors, by ${less} in all: pcache-migrate processor set --parallel <n>`,
            ]
          : []),
      ],
    },
  ];
}

function sum({ own, others }: Needs): number {
  return others.reduce((total, { jobs }) => total + jobs, own);
}

const NAMED = 3;

function jobsText(needs: Needs): string {
  const total = sum(needs);
  const others = needs.others.toSorted((one, other) => other.jobs - one.jobs);
  const rest = others.slice(NAMED);
  const whose = [
    `${needs.own} of this deployment`,
    ...others
      .slice(0, NAMED)
      .map(({ database, role, jobs }) => `${jobs} in database "${database}" as role "${role}"`),
    ...(rest.length === 0 ? [] : [`${sum({ own: 0, others: rest })} of ${rest.length} more`]),
  ];
  const jobs = total === 1 ? '1 job' : `${total} jobs`;
  return others.length === 0
    ? `${jobs} of this deployment can be due at once`
    : `${jobs} can be due at once (${whose.join(', ')})`;
}

function notesOf({ isComplete, schedulers, resting, uncounted, role }: RoomFacts): string[] {
  return [
    ...(isComplete || schedulers.length > 0
      ? []
      : [`Jobs of other roles are hidden from role "${shown(role)}", and not counted.`]),
    ...(resting === 0
      ? []
      : [
          resting === 1
            ? '1 job of another deployment rests until that has work, and is not counted.'
            : `${resting} jobs of other deployments rest until those have work, and are not counted.`,
        ]),
    ...(uncounted === 0
      ? []
      : [
          uncounted === 1
            ? '1 job that starts at its own time is not counted.'
            : `${uncounted} jobs that start at their own times are not counted.`,
        ]),
  ];
}

function settingLine(name: string, value: number): string {
  return `ALTER SYSTEM SET ${name} = ${value};  -- takes effect with a restart of the server`;
}

function numberOf(settings: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = settings.get(name);
  return value === undefined ? undefined : Number(value);
}
