import type { Attempt, Scene, Theme } from './attempt.js';
import type { Place } from './place.js';
import { exists, identifier, inCron, literal } from './sql.js';

const cronSchemaOf = ({ place }: Scene) => identifier(place.settings.cronSchema);
const cronRoleOf = ({ place }: Scene) => literal(place.roles.cron.name);
const command = 'SELECT 4711 /* alien */';

/** Jobs of the deployment's cron role that do something else than ours, anywhere. */
const alien = (scene: Scene) =>
  exists(`cron.job WHERE username = ${cronRoleOf(scene)} AND command LIKE '%alien%'`);

const removeAlien = inCron(
  () =>
    "SELECT cron.unschedule(jobid) FROM cron.job WHERE command LIKE '%alien%' OR jobname = 'alien'",
);

const aJob = (scene: Scene) =>
  `(SELECT min(jobid) FROM cron.job WHERE username = ${cronRoleOf(scene)})`;

interface Job {
  readonly jobid: string;
  readonly jobname: string;
}

const lookedUp = new WeakMap<Place, Job>();

/** The numbers of the jobs are small and in sequence, their names made by a rule: whoever may not read them guesses. */
function guessed({ place }: Scene): Job {
  const job = lookedUp.get(place);
  if (job === undefined) throw new Error('no job was looked up beforehand');
  return job;
}

async function lookUpJob(scene: Scene): Promise<void> {
  await inCron(
    () => 'DROP TABLE IF EXISTS job_before',
    () => `CREATE TEMP TABLE job_before AS SELECT * FROM cron.job WHERE jobid = ${aJob(scene)}`,
  )(scene);
  const { rows } = await scene.place.cron.query<Job>('SELECT jobid, jobname FROM job_before');
  if (rows[0] !== undefined) lookedUp.set(scene.place, rows[0]);
}

const restoreJob = inCron(
  () =>
    'UPDATE cron.job SET command = b.command, active = b.active FROM job_before AS b WHERE job.jobid = b.jobid',
  () => 'INSERT INTO cron.job SELECT * FROM job_before ON CONFLICT DO NOTHING',
);

function applied(what: string, job: (scene: Scene) => Record<string, unknown>): Attempt {
  return {
    what,
    in: 'cron',
    prepare: async (scene) => {
      await inCron(
        () => 'DROP TABLE IF EXISTS jobs_before',
        () =>
          `CREATE TEMP TABLE jobs_before AS SELECT * FROM cron.job WHERE username = ${cronRoleOf(scene)}`,
      )(scene);
    },
    statements: (scene) => [
      `SELECT ${cronSchemaOf(scene)}.apply_jobs(${literal(JSON.stringify([job(scene)]))})`,
    ],
    look: (scene) =>
      exists(
        `cron.job WHERE username = ${cronRoleOf(scene)}
           AND NOT (database = ${literal(scene.place.site.database)} AND command ~ '^CALL partitioncache\\.run_')
           AND NOT (database = 'postgres' AND command ~ '^SELECT .*\\.(prune_job_runs\\([0-9]+|dispatch\\((true|false))\\)$')`,
      ),
    control: (scene) => [
      `INSERT INTO cron.job (jobid, schedule, command, nodename, nodeport, database, username, active, jobname)
         SELECT -1, '0 0 1 1 *', ${literal(command)}, nodename, nodeport, database, username, false, 'alien'
           FROM cron.job WHERE jobid = ${aJob(scene)}`,
    ],
    restore: async (scene) => {
      await removeAlien(scene);
      await inCron(
        () =>
          `DELETE FROM cron.job WHERE username = ${cronRoleOf(scene)} AND jobid NOT IN (SELECT jobid FROM jobs_before)`,
        () => 'INSERT INTO cron.job SELECT * FROM jobs_before ON CONFLICT DO NOTHING',
      )(scene);
    },
  };
}

/** Scheduling, and what others have scheduled. */
export const jobs: Theme = {
  name: 'Schedule, or touch what is scheduled',
  attempts: [
    {
      what: 'schedule a command of its own as the cron role',
      in: 'cron',
      statements: (scene) => [
        `SELECT cron.schedule_in_database('alien', '0 0 1 1 *', ${literal(command)},
                  ${literal(scene.place.site.database)}, ${cronRoleOf(scene)})`,
      ],
      look: alien,
      restore: removeAlien,
    },
    {
      what: 'schedule a command of its own in the work database',
      in: 'cron',
      only: ['migrator', 'client', 'outsider', 'anybody'],
      statements: ({ place }) => [
        `SELECT cron.schedule_in_database('alien', '0 0 1 1 *', ${literal(command)}, ${literal(place.site.database)})`,
      ],
      look: () => exists("cron.job WHERE command LIKE '%alien%'"),
      restore: removeAlien,
    },
    applied('have apply_jobs schedule a command of its own', (scene) => ({
      job_name: 'partitioncache alien',
      schedule: '0 0 1 1 *',
      kind: 'processor',
      processor: "x', 1); SELECT 4711 /* alien */; --",
      slot: 1,
      command,
      database: scene.place.site.database,
    })),
    applied('have apply_jobs schedule in another database', () => ({
      job_name: 'partitioncache alien',
      schedule: '0 0 1 1 *',
      kind: 'maintenance',
      command,
      database: 'template1',
    })),
    applied('have apply_jobs schedule a kind of job that there is not', (scene) => ({
      job_name: 'partitioncache alien',
      schedule: '0 0 1 1 *',
      kind: 'alien',
      command,
      database: scene.place.site.database,
    })),
    {
      what: 'take over a job by scheduling its name',
      in: 'cron',
      only: [
        'migrator',
        'client',
        'outsider',
        'neighbourMigrator',
        'neighbourCron',
        'tenantMigrator',
        'tenantCron',
        'anybody',
      ],
      prepare: lookUpJob,
      statements: (scene) => [
        `SELECT cron.schedule_in_database(
           ${literal(guessed(scene).jobname)}, '0 0 1 1 *', ${literal(command)}, 'postgres')`,
      ],
      look: alien,
      control: (scene) => [
        `UPDATE cron.job SET command = ${literal(command)} WHERE jobid = ${guessed(scene).jobid}`,
      ],
      restore: async (scene) => {
        await restoreJob(scene);
        await removeAlien(scene);
      },
    },
    {
      what: 'unschedule a job of the deployment by its number',
      in: 'cron',
      prepare: lookUpJob,
      statements: (scene) => [`SELECT cron.unschedule(${guessed(scene).jobid}::bigint)`],
      look: (scene) =>
        `SELECT NOT EXISTS (SELECT FROM cron.job WHERE jobid = ${guessed(scene).jobid} AND active)`,
      restore: restoreJob,
      leave: { cron: 'its task' },
    },
    {
      what: 'alter a job of the deployment',
      in: 'cron',
      prepare: lookUpJob,
      statements: (scene) => [
        `SELECT cron.alter_job(${guessed(scene).jobid}::bigint, command := ${literal(command)})`,
      ],
      look: alien,
      restore: restoreJob,
    },
    {
      what: 'write to cron.job',
      in: 'cron',
      prepare: lookUpJob,
      statements: (scene) => [
        `UPDATE cron.job SET command = ${literal(command)} WHERE jobid = ${guessed(scene).jobid}`,
      ],
      look: alien,
      restore: restoreJob,
    },
    ...['by prune_job_runs', 'by DELETE'].map(
      (way): Attempt => ({
        what: `erase the run history of the deployment, ${way}`,
        in: 'cron',
        prepare: inCron(
          (scene) =>
            `INSERT INTO cron.job_run_details (runid, jobid, username, database, command, status, end_time)
               VALUES (-1, -1, ${cronRoleOf(scene)}, ${literal(scene.place.site.database)},
                       'CALL partitioncache.run_maintenance()', 'succeeded', '2000-01-01')`,
        ),
        statements: (scene) =>
          way === 'by DELETE'
            ? ['DELETE FROM cron.job_run_details WHERE runid = -1']
            : [`SELECT ${cronSchemaOf(scene)}.prune_job_runs(1)`],
        control: () => ['DELETE FROM cron.job_run_details WHERE runid = -1'],
        look: () => 'SELECT NOT EXISTS (SELECT FROM cron.job_run_details WHERE runid = -1)',
        restore: inCron(() => 'DELETE FROM cron.job_run_details WHERE runid = -1'),
        leave: { cron: 'its task' },
      }),
    ),
  ],
};
