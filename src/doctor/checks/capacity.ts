import { readStreamPlan } from '../../deployment/stream-plan.js';
import { desiredJobs } from '../../jobs/apply-jobs.js';
import { ok, text, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { serverSetting } from '../server-setting.js';

export const jobCapacity: DoctorCheck = {
  id: 'job-capacity',
  title: 'capacity for the jobs',
  needs: ['work-migrations', 'pg-cron-loaded'],
  run: async (context) => {
    const jobs = await countJobs(context);
    const limits = await readLimits(context);
    const exceeded = limits.find(({ jobsAllowed }) => jobs > jobsAllowed);
    if (exceeded !== undefined) {
      return warning(
        `this deployment alone has ${jobs} jobs, and ${exceeded.setting} = ${exceeded.value} lets at most ${exceeded.jobsAllowed} run at once: the others start late or not at all`,
        text(
          'administrator',
          `Raise ${exceeded.setting} in postgresql.conf and restart the server, or lower max_parallel_jobs of the processor.`,
        ),
      );
    }
    return ok(
      limits.length === 0
        ? `${jobs} jobs are configured; the server's limits are hidden from these roles`
        : `${jobs} jobs are configured here; ${limits.map(({ setting, value }) => `${setting} = ${value}`).join(', ')}`,
    );
  },
};

async function countJobs({ settings, work }: Context): Promise<number> {
  const client = clientOf(work);
  const { pending } = await readStreamPlan(client, settings, 'work');
  return pending.length > 0 ? 0 : (await desiredJobs(client, settings)).length;
}

interface Limit {
  setting: string;
  value: number;
  jobsAllowed: number;
}

/** Used by pg_cron's scheduler and the logical replication launcher. */
const WORKERS_TAKEN = 2;

async function readLimits(context: Context): Promise<Limit[]> {
  const running = await serverSetting(context, 'cron.max_running_jobs');
  const background = await serverSetting(context, 'cron.use_background_workers');
  const workers = await serverSetting(context, 'max_worker_processes');
  return [
    ...(running === undefined
      ? []
      : [
          {
            setting: 'cron.max_running_jobs',
            value: Number(running),
            jobsAllowed: Number(running),
          },
        ]),
    ...(background !== 'on' || workers === undefined
      ? []
      : [
          {
            setting: 'max_worker_processes',
            value: Number(workers),
            jobsAllowed: Number(workers) - WORKERS_TAKEN,
          },
        ]),
  ];
}
