import { remedyOf } from '../../database/remedy-of.js';
import { unlessRefused } from '../../database/unless-refused.js';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { desiredJobs } from '../../jobs/apply-jobs.js';
import { readRoom } from '../../jobs/read-room.js';
import type { Room } from '../../jobs/room.js';
import { type Finding, ok, text, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { oneLine } from '../wording.js';

export const jobCapacity: DoctorCheck = {
  id: 'job-capacity',
  title: 'capacity for the jobs',
  needs: ['work-migrations', 'pg-cron-loaded'],
  run: (context) =>
    unlessRefused(
      async () => findingOf(await roomOf(context)),
      (said, error) =>
        warning(
          `${UNKNOWN}: ${oneLine(said)}`,
          text('administrator', remedyOf(error) ?? 'Mend what the server complains of.'),
        ),
    ),
};

const UNKNOWN = 'whether they have room is not known';

function findingOf({ verdict, shortages, unknown, detail, notes }: Room): Finding {
  const said = shortages.length === 0 ? [detail] : shortages.map((shortage) => shortage.detail);
  const reasons = unknown.map(({ reason }) => reason);
  const unsure = unknown.length === 0 ? [] : [`${UNKNOWN}: ${reasons.join('; ')}`];
  const found = [`${[...said, ...unsure].join('; ')}.`, ...notes].join(' ').slice(0, -1);
  if (verdict === 'enough') return ok(found);
  return warning(
    found,
    text('administrator', ...new Set([...shortages, ...unknown].flatMap(({ remedy }) => remedy))),
  );
}

/** Of the jobs that are configured; before there are any, of those of others. */
export async function roomOf({ settings, work, cron, admin }: Context): Promise<Room> {
  const databases = { work: clientOf(work), cron: clientOf(cron) };
  const { pending } = await readStreamPlan(databases.work, settings, 'work');
  const desired = pending.length > 0 ? [] : await desiredJobs(databases.work, settings);
  return readRoom(databases, settings, desired, admin && ((_, look) => look(admin)));
}
