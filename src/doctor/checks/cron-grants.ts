import type { DoctorCheck } from '../context.js';
import { checkGrants, type Grant, onFunction, onSchema, onTable } from '../grants.js';
import { clientOf } from '../reach.js';

/** The privileges on pg_cron that the cron role needs beyond those that pg_cron grants to everyone. */
export function leastGrants(role: string): Grant[] {
  return [onSchema(role, 'cron', 'USAGE'), ...scheduling(role)];
}

function scheduling(role: string): Grant[] {
  return [
    onFunction(role, 'cron', 'schedule_in_database', 'text, text, text, text, text, boolean'),
    onFunction(role, 'cron', 'unschedule', 'bigint'),
  ];
}

export const cronUsage: DoctorCheck = {
  id: 'cron-usage',
  title: 'cron role: schema cron',
  needs: ['pg-cron-version'],
  run: ({ settings, cron }) =>
    checkGrants({
      client: clientOf(cron),
      database: settings.cron.database,
      by: 'administrator',
      grants: [onSchema(settings.cron.user, 'cron', 'USAGE')],
      without: 'this role can neither schedule nor see jobs',
    }),
};

export const cronSchedule: DoctorCheck = {
  id: 'cron-schedule',
  title: 'cron role: scheduling of jobs',
  needs: ['pg-cron-version'],
  run: ({ settings, cron }) =>
    checkGrants({
      client: clientOf(cron),
      database: settings.cron.database,
      by: 'administrator',
      grants: scheduling(settings.cron.user),
      without: 'no job can be scheduled or unscheduled',
    }),
};

export const cronHistory: DoctorCheck = {
  id: 'cron-history',
  title: 'cron role: its jobs and their history',
  needs: ['pg-cron-version'],
  run: ({ settings, cron }) =>
    checkGrants({
      client: clientOf(cron),
      database: settings.cron.database,
      by: 'administrator',
      grants: [
        onTable(settings.cron.user, 'cron', 'job', 'SELECT'),
        onTable(settings.cron.user, 'cron', 'job_run_details', 'SELECT'),
        onTable(settings.cron.user, 'cron', 'job_run_details', 'DELETE'),
      ],
      without:
        'jobs cannot be compared or shown, and their history cannot be cleaned up (pg_cron grants this to everyone when it is installed)',
    }),
};
