import { whileConnecting } from '../database/connect.js';
import { asAdministrator, type Settings } from '../settings/settings.js';
import { checksFor, type DoctorRequest, forCron } from './all-checks.js';
import type { DoctorReport } from './check-result.js';
import type { Context } from './context.js';
import { reach } from './reach.js';
import { runInOrder } from './run-in-order.js';

export interface DoctorOptions extends Pick<DoctorRequest, 'streams'> {
  /** Checks that are not made, by id. */
  readonly without?: readonly string[];
}

/**
 * Inspects both databases and reports what is missing for the requested streams, and how to fix it.
 * Changes nothing. Skips what it cannot find out because something else is missing.
 */
export async function runDoctor(
  settings: DoctorRequest['settings'],
  { streams, without = [] }: DoctorOptions,
): Promise<DoctorReport> {
  const request = { settings, streams };
  const checks = checksFor(request).filter(({ id }) => !without.includes(id));
  return withContext(request, async (context) => ({ checks: await runInOrder(checks, context) }));
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
