import { asAdministrator } from '../settings/settings.js';
import { checksFor, type DoctorRequest, forCron } from './all-checks.js';
import type { DoctorReport } from './check-result.js';
import type { Context } from './context.js';
import { reach } from './reach.js';
import { runInOrder } from './run-in-order.js';

/**
 * Inspects both databases and reports what is missing for the requested streams, and how to fix it.
 * Changes nothing. Skips what it cannot find out because something else is missing.
 */
export async function runDoctor(
  settings: DoctorRequest['settings'],
  { streams }: Pick<DoctorRequest, 'streams'>,
): Promise<DoctorReport> {
  const request = { settings, streams };
  return withContext(request, async (context) => ({
    checks: await runInOrder(checksFor(request), context),
  }));
}

async function withContext<T>(
  request: DoctorRequest,
  use: (context: Context) => Promise<T>,
): Promise<T> {
  const { settings } = request;
  const { admin } = settings;
  return reach(settings.work, (work) => {
    if (!forCron(request)) return use({ settings, work, cron: undefined, admin: undefined });
    return reach(settings.cron, (cron) =>
      admin === undefined
        ? use({ settings, work, cron, admin: undefined })
        : reach(asAdministrator(settings.cron, admin), (reached) =>
            use({ settings, work, cron, admin: reached }),
          ),
    );
  });
}
