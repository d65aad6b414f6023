import { withAdvisoryLock } from '../database/advisory-lock.js';
import { withClient } from '../database/connect.js';
import type { LockWait } from '../deployment/with-databases.js';
import { applyRemediesAsAdministrator, isForAdministrator } from '../doctor/apply-remedies.js';
import { type CheckResult, type DoctorReport, failures } from '../doctor/check-result.js';
import { runDoctor } from '../doctor/run-doctor.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { StreamName } from '../migrations/streams.js';
import { asAdministrator, type Settings } from '../settings/settings.js';

/** The databases are not ready; only what the administrator's role could fix was changed. */
export class PreflightError extends PcacheError {
  override readonly name = 'PreflightError';
  readonly report: DoctorReport;

  constructor(report: DoctorReport) {
    const failed = failures(report);
    super(
      `${failed.length} ${failed.length === 1 ? 'thing is' : 'things are'} missing: ${failed.map(({ title }) => title).join(', ')}`,
    );
    this.report = report;
  }

  get failed(): readonly CheckResult[] {
    return failures(this.report);
  }
}

// Of the jobs as they will be then: it warns alone, and need not keep anybody from deploying.
const JUDGED_AFTERWARDS = ['job-capacity'];

/** Gets each report before anything is changed because of it; may refuse by raising. */
type BeforeRemedies = (report: DoctorReport) => Promise<void>;

/**
 * Runs the doctor's checks, and fixes what needs an administrator if the settings name one.
 * Returns the statements that it ran for that. Raises PreflightError when something is still missing; the checks of
 * `mended` may fail, since the command is there to mend that.
 */
export async function preflight(
  settings: Settings,
  streams: readonly StreamName[],
  wait: LockWait,
  beforeRemedies: BeforeRemedies = async () => {},
  mended: readonly string[] = [],
): Promise<string[]> {
  const examine = async () =>
    without(mended, await runDoctor(settings, { streams, without: JUDGED_AFTERWARDS }));
  const report = await examine();
  await beforeRemedies(report);
  if (failures(report).length === 0) return [];
  const { admin } = settings;
  if (admin === undefined || !isForAdministrator(report)) {
    throw new PreflightError(report);
  }
  const place = asAdministrator(streams.includes('cron') ? settings.cron : settings.work, admin);
  return withClient(place, (client) =>
    withAdvisoryLock(client, ADMINISTRATOR_LOCK, wait, () =>
      fixAll(settings, examine, beforeRemedies),
    ),
  );
}

// The deployments of a cluster share pg_cron's database, and of two that grant there at once one would fail.
const ADMINISTRATOR_LOCK = 'pcache-migrate administrator';

async function fixAll(
  settings: Settings,
  examine: () => Promise<DoctorReport>,
  beforeRemedies: BeforeRemedies,
): Promise<string[]> {
  const applied: string[] = [];
  // Another run may have fixed it meanwhile, and a fix can bring to light the next thing to fix.
  for (;;) {
    const report = await examine();
    await beforeRemedies(report);
    if (failures(report).length === 0) return applied;
    const lines = await applyRemediesAsAdministrator(settings, report);
    if (lines.every((line) => applied.includes(line))) throw new PreflightError(report);
    applied.push(...lines);
  }
}

function without(mended: readonly string[], { checks }: DoctorReport): DoctorReport {
  return { checks: checks.filter(({ id }) => !mended.includes(id)) };
}
