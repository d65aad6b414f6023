import { escapeIdentifier } from 'pg';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { pasteable } from '../../errors/shown.js';
import { desiredJobs } from '../../jobs/apply-jobs.js';
import { readRoom } from '../../jobs/read-room.js';
import type { Room } from '../../jobs/room.js';
import { ok, text, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

export const jobCapacity: DoctorCheck = {
  id: 'job-capacity',
  title: 'capacity for the jobs',
  needs: ['work-migrations', 'pg-cron-loaded'],
  run: async (context) => {
    const { shortages, hidden, detail, notes } = await roomOf(context);
    const unknown =
      hidden.length === 0
        ? []
        : [
            `whether they have room is not known: ${hidden.join(' and ')} ${hidden.length === 1 ? 'is' : 'are'} hidden from the roles of this deployment`,
          ];
    const said = shortages.length === 0 ? [detail] : shortages.map((shortage) => shortage.detail);
    const found = [`${[...said, ...unknown].join('; ')}.`, ...notes].join(' ').slice(0, -1);
    if (shortages.length === 0 && hidden.length === 0) return ok(found);
    return warning(
      found,
      text(
        'administrator',
        ...new Set(shortages.flatMap(({ remedy }) => remedy)),
        ...(hidden.length === 0 ? [] : seeing(context.settings.cron.user)),
      ),
    );
  },
};

/** Of the jobs that are configured; before there are any, of those of others. */
export async function roomOf({ settings, work, cron, admin }: Context): Promise<Room> {
  const databases = { work: clientOf(work), cron: clientOf(cron), admin: admin?.client };
  const { pending } = await readStreamPlan(databases.work, settings, 'work');
  const desired = pending.length > 0 ? [] : await desiredJobs(databases.work, settings);
  return readRoom(databases, settings, desired);
}

function seeing(cronRole: string): string[] {
  return [
    pasteable(`GRANT pg_read_all_settings TO ${escapeIdentifier(cronRole)};`),
    'Or set PG_ADMIN_USER and PG_ADMIN_PASSWORD for this command: it asks as that role then.',
  ];
}
