import type { ClientBase } from 'pg';
import { hasExtension, hasSchema } from '../../database/catalogue.js';
import { withClient } from '../../database/connect.js';
import { isServersRefusal } from '../../database/database-error.js';
import { describeDatabaseError } from '../../database/describe-database-error.js';
import { inTransaction } from '../../database/in-transaction.js';
import { shown } from '../../errors/shown.js';
import {
  forgetOwnJobs,
  hasOtherRuns,
  type OtherJob,
  readOtherJobs,
} from '../../jobs/other-jobs.js';
import type { Settings } from '../../settings/settings.js';
import { asWhoSeesMost } from '../as-who-sees-most.js';
import { examineOldPlace } from './old-place.js';

/** Something that could not be removed. */
export interface Leftover {
  readonly what: string;
  readonly database: string;
  /** What an administrator can run once nobody needs it; empty where no line can be given. */
  readonly lines: readonly string[];
  readonly reason: string;
}

export interface Tidied {
  readonly isExtensionDropped: boolean;
  readonly left: readonly Leftover[];
}

const DROP = 'DROP EXTENSION pg_cron;';

/**
 * Removes from the old place what the rollback leaves there: the history of our runs, jobs if somebody dropped our
 * schema before, and the extension where it is of no use to anybody. The server serves another database by now, so no job is started there.
 */
export async function tidyOldPlace(work: ClientBase, old: Settings): Promise<Tidied> {
  const place = await examineOldPlace(work, old);
  if (place.state === 'gone') return { isExtensionDropped: false, left: [] };
  if (place.state === 'unreachable') {
    return { isExtensionDropped: false, left: [unreachable(old, place.reason)] };
  }
  const remains = await withClient(old.cron, async (cron) => [
    ...(await jobsLeft(cron, old)),
    ...((await hasSchema(cron, old.cronSchema)) ? [schemaLeft(old)] : []),
  ]);
  const extension = await asWhoSeesMost(old, old.cron, (client, user, isAdministrator) =>
    dropExtension(client, old, user, isAdministrator),
  );
  return {
    isExtensionDropped: extension === 'dropped',
    left: [...remains, ...(typeof extension === 'object' ? [extension] : [])],
  };
}

function unreachable({ cron, cronSchema }: Settings, reason: string): Leftover {
  return {
    what: `the schema "${cronSchema}" and this deployment's jobs`,
    database: cron.database,
    lines: [],
    reason: `it cannot be reached (${reason}); pg_cron starts none of them while it serves another database`,
  };
}

async function jobsLeft(cron: ClientBase, old: Settings): Promise<Leftover[]> {
  try {
    await forgetOwnJobs(cron, old);
    return [];
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    return [
      {
        what: "this deployment's jobs or the history of their runs",
        database: old.cron.database,
        lines: [],
        reason: `the server refused: ${describeDatabaseError(error)}`,
      },
    ];
  }
}

function schemaLeft({ cron, cronSchema }: Settings): Leftover {
  return {
    what: `the schema "${cronSchema}"`,
    database: cron.database,
    lines: [],
    reason: 'it holds something that is not of this package, or belongs to another role',
  };
}

async function dropExtension(
  client: ClientBase,
  old: Settings,
  user: string,
  isAdministrator: boolean,
): Promise<Leftover | 'dropped' | undefined> {
  if (!(await hasExtension(client, 'pg_cron'))) return undefined;
  const left = (reason: string): Leftover => ({
    what: 'the extension pg_cron',
    database: old.cron.database,
    lines: [DROP],
    reason,
  });
  const needed = await whoNeedsIt(client, old, user);
  if (needed !== undefined) return left(needed);
  if (!isAdministrator) return left('PG_ADMIN_USER is not set');
  try {
    const neededByNow = await inTransaction(client, () => dropUnlessNeeded(client, old, user));
    return neededByNow === undefined ? 'dropped' : left(neededByNow);
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    return left(`the server refused: ${describeDatabaseError(error)}`);
  }
}

/** Returns who needs it by the time that nobody can make a job any more. */
async function dropUnlessNeeded(
  client: ClientBase,
  old: Settings,
  user: string,
): Promise<string | undefined> {
  // Whoever looks at pg_cron's tables would wait for us while we wait.
  await client.query("SET LOCAL lock_timeout = '10s'");
  // As DROP EXTENSION locks them: a weaker lock, made stronger later, could be one half of a deadlock.
  await client.query('LOCK TABLE cron.job, cron.job_run_details IN ACCESS EXCLUSIVE MODE');
  const needed = await whoNeedsIt(client, old, user);
  if (needed === undefined) await client.query(DROP);
  return needed;
}

/** Why the extension cannot go; undefined where nobody needs it. */
async function whoNeedsIt(
  client: ClientBase,
  old: Settings,
  user: string,
): Promise<string | undefined> {
  const { jobs, isComplete } = await readOtherJobs(client, old);
  if (jobs.length > 0) {
    const count = `${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
    return `${count} of others would be dropped with it: ${jobs.map(nameOf).join(', ')}`;
  }
  if (!isComplete) {
    return `role "${user}" cannot see whether jobs of others would be dropped with it`;
  }
  return (await hasOtherRuns(client, old))
    ? 'the history of the runs of others would be dropped with it'
    : undefined;
}

function nameOf({ jobId, jobName, role }: OtherJob): string {
  return `"${shown(jobName ?? `job ${jobId}`)}" of role "${shown(role)}"`;
}
