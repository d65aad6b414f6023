import { asAdministrator } from '../settings/settings.js';
import { type Asked, checksFor, forCron } from './all-checks.js';
import type { DoctorReport } from './check-result.js';
import type { Context } from './context.js';
import { reach } from './reach.js';
import { runInOrder } from './run-in-order.js';

/**
 * Looks at both databases, and says what is missing for the streams asked for, and how to mend it.
 * Changes nothing. What it cannot find out, because something else is missing, is skipped.
 */
export async function runDoctor(
  settings: Asked['settings'],
  { streams }: Pick<Asked, 'streams'>,
): Promise<DoctorReport> {
  const asked = { settings, streams };
  return withContext(asked, async (context) => ({
    checks: await runInOrder(checksFor(asked), context),
  }));
}

async function withContext<T>(asked: Asked, use: (context: Context) => Promise<T>): Promise<T> {
  const { settings } = asked;
  const { admin } = settings;
  return reach(settings.work, (work) => {
    if (!forCron(asked)) return use({ settings, work, cron: undefined, admin: undefined });
    return reach(settings.cron, (cron) =>
      admin === undefined
        ? use({ settings, work, cron, admin: undefined })
        : reach(asAdministrator(settings.cron, admin), (reached) =>
            use({ settings, work, cron, admin: reached }),
          ),
    );
  });
}
