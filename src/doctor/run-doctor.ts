import { whileConnecting } from '../database/connect.js';
import { asAdministrator, type Settings } from '../settings/settings.js';
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
  if (!forCron(request)) {
    return reach(settings.work, (work) =>
      use({ settings, work, cron: undefined, admin: undefined }),
    );
  }
  return whileConnecting(settings.cron, (begun) =>
    reach(settings.work, (work) =>
      reach(
        settings.cron,
        (cron) => withAdministrator(settings, (admin) => use({ settings, work, cron, admin })),
        begun,
      ),
    ),
  );
}

function withAdministrator<T>(
  { cron, admin }: Settings,
  use: (admin: Context['admin']) => Promise<T>,
): Promise<T> {
  return admin === undefined ? use(undefined) : reach(asAdministrator(cron, admin), use);
}
