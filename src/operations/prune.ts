import { withClient } from '../database/connect.js';
import type { LockWait } from '../deployment/with-databases.js';
import { deleteRunsOf, readRunsOfNoDatabase, unschedule } from '../jobs/left-behind.js';
import { requirePgCron } from '../jobs/require-pg-cron.js';
import type { Settings } from '../settings/settings.js';
import { type LeftBehind, type Survey, surveyLeftBehind } from './left-behind.js';
import { removeCronSide } from './remove-cron-side.js';

export interface PruneOptions extends LockWait {
  /** Nothing is changed. */
  readonly dryRun: boolean;
  /** Asked before anything is changed; false ends the command. */
  readonly confirm: (survey: Survey) => Promise<boolean>;
  readonly log: (message: string) => void;
}

/** What dropped work databases have left in the pg_cron database; `dropped` is gone unless told otherwise. */
export interface PruneReport extends Survey {
  readonly dryRun: boolean;
  readonly confirmed: boolean;
}

/**
 * Removes what dropped work databases have left in the pg_cron database: jobs, their history, schemas. Only what the
 * cron role owns and what this package made. Needs no work database. Raises PgCronMissingError.
 */
export async function prune(settings: Settings, options: PruneOptions): Promise<PruneReport> {
  const { dryRun } = options;
  return withClient(settings.cron, async (cron) => {
    await requirePgCron(cron, settings);
    const survey = await surveyLeftBehind(cron, await readRunsOfNoDatabase(cron));
    if (dryRun || survey.dropped.length === 0) return { ...survey, dryRun, confirmed: true };
    if (!(await options.confirm(survey))) return { ...survey, dryRun, confirmed: false };
    const removed: LeftBehind[] = [];
    for (const left of survey.dropped) {
      for (const side of left.schemas) await removeCronSide(cron, settings, side, options);
      await unschedule(cron, left.jobs);
      await deleteRunsOf(cron, left.workDatabase);
      removed.push(left);
    }
    return { ...survey, dropped: removed, dryRun, confirmed: true };
  });
}
