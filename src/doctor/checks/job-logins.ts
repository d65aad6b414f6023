import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRoutine } from '../../database/catalogue.js';
import { unlessRefused } from '../../database/unless-refused.js';
import { cronName } from '../../deployment/own-names.js';
import { databaseLimitLine, type LimitName, roleLimitLine } from '../../jobs/room.js';
import { LedgerError } from '../../migrations/ledger-error.js';
import type { Settings } from '../../settings/settings.js';
import { ok, text, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { oneLine } from '../wording.js';
import { roomOf } from './capacity.js';

export const jobLogins: DoctorCheck = {
  id: 'job-logins',
  title: 'start of the jobs',
  // Of no ledger: a broken one says nothing of pg_cron.
  needs: ['work-connection', 'cron-schema', 'cron-usage', 'cron-history'],
  run: async (context) => {
    const { settings, cron } = context;
    const client = clientOf(cron);
    if (!(await hasRoutine(client, settings.cronSchema, 'is_own'))) {
      return ok('no job has been scheduled yet');
    }
    const runs = await latestRuns(client, settings);
    if (runs.length === 0) return ok('no job has run in the last 24 hours');
    const broken = runs.find(({ status, message }) => status === 'failed' && startFailed(message));
    if (broken === undefined) return ok(`the last run of each of ${runs.length} jobs started`);
    return warning(
      `the last run of ${broken.command} in database "${broken.database}" did not start, at ${broken.at.toISOString()}: ${broken.message}`,
      text('administrator', ...(await remedyFor(broken, context))),
    );
  },
};

interface Run {
  command: string;
  database: string;
  status: string;
  message: string;
  at: Date;
}

/** The last run of each job, if it is among the latest runs. */
async function latestRuns(client: ClientBase, settings: Settings): Promise<Run[]> {
  // Ordered by runid, which has the only index of pg_cron's history; the history may contain millions of runs.
  const { rows } = await client.query<Run>(
    `SELECT DISTINCT ON (database, command) *
       FROM (SELECT runid, command, database, status, coalesce(return_message, '') AS message,
                    coalesce(start_time, end_time, now()) AS at
               FROM cron.job_run_details
              WHERE username = current_user AND status IN ('succeeded', 'failed')
                AND start_time > now() - interval '1 day'
                AND ${cronName(settings, 'is_own')}(database, command)
              ORDER BY runid DESC LIMIT 100) AS latest
      ORDER BY database, command, runid DESC`,
  );
  return rows;
}

const NO_WORKER = /background process|background worker/u;
const NO_LOGIN =
  /^connection (?:failed|lost)|^job startup timeout|not permitted to log in|permission denied for database|CONNECT privilege/u;

/** What PostgreSQL says of a limit that is reached. pg_cron hands that on from a background worker alone. */
const LIMITS: readonly (readonly [RegExp, LimitName])[] = [
  [/too many connections for role/u, 'role'],
  [/too many connections for database/u, 'database'],
  [/too many clients already|remaining connection slots are reserved/u, 'max_connections'],
];

function startFailed(message: string): boolean {
  return NO_WORKER.test(message) || NO_LOGIN.test(message) || limitIn(message) !== undefined;
}

function limitIn(message: string): LimitName | undefined {
  return LIMITS.find(([said]) => said.test(message))?.[1];
}

async function remedyFor({ message, database }: Run, context: Context): Promise<string[]> {
  const { cron } = context.settings;
  if (NO_WORKER.test(message)) {
    return [
      'Raise max_worker_processes in postgresql.conf and restart the server, or lower max_parallel_jobs of the processor.',
    ];
  }
  const limit = limitIn(message);
  if (limit !== undefined) return [raise(limit, database, cron.user)];
  return [
    ...(await limitsReached(context)),
    `pg_cron logs in to database "${database}" as role "${cron.user}", from the server itself (cron.host) and without a password of its own. One of these lets it in:`,
    'a line for that role in the password file (~/.pgpass) of the operating-system user that runs the server;',
    `a line in pg_hba.conf, such as: local ${escapeIdentifier(database)} ${escapeIdentifier(cron.user)} trust (with cron.host set to the directory of the socket), then SELECT pg_reload_conf();`,
    'or cron.use_background_workers = on in postgresql.conf and a restart: then no login is needed.',
  ];
}

/** Of a limit that was reached by sessions that may be gone by now, so no number is known. */
function raise(limit: LimitName, database: string, role: string): string {
  if (limit === 'role') return `${roleLimitLine(role, -1)}  -- or one that fits`;
  if (limit === 'database') return `${databaseLimitLine(database, -1)}  -- or one that fits`;
  return 'Raise max_connections in postgresql.conf and restart the server, or end sessions that nobody needs.';
}

/** pg_cron says only that it could not log in, also where a limit is the reason. */
function limitsReached(context: Context): Promise<string[]> {
  return unlessRefused(
    async () => {
      const { shortages } = await roomOf(context);
      return shortages
        .filter(({ limit }) => limit !== 'cron.max_running_jobs')
        .flatMap(({ detail, remedy }) => [`${detail}. If that is the reason:`, ...remedy]);
    },
    (said) => [`Whether a limit is the reason is not known: ${oneLine(said)}`],
    (error) => error instanceof LedgerError,
  );
}
