import { type CheckResult, type DoctorReport, failures } from '../doctor/check.js';
import { mendAsAdministrator } from '../doctor/mend.js';
import { runDoctor } from '../doctor/run-doctor.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';

/** The databases are not ready; nothing was changed but what the administrator mended. */
export class PreflightError extends Error {
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

/**
 * Runs the doctor's checks; what an administrator has to mend is mended when there is one in the settings.
 * Returns the statements that were run for that. Raises PreflightError when something is still missing.
 */
export async function preflight(
  settings: Settings,
  streams: readonly StreamName[],
): Promise<string[]> {
  const first = await runDoctor(settings, { streams });
  if (failures(first).length === 0) return [];
  const mended = settings.admin === undefined ? [] : await mendAsAdministrator(settings, first);
  if (mended.length === 0) throw new PreflightError(first);
  const second = await runDoctor(settings, { streams });
  if (failures(second).length > 0) throw new PreflightError(second);
  return mended;
}
