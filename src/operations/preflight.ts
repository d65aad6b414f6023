import { type CheckResult, type DoctorReport, failures } from '../doctor/check-result.js';
import { mendAsAdministrator } from '../doctor/mend.js';
import { runDoctor } from '../doctor/run-doctor.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';

/** The databases are not ready; nothing was changed but what the administrator mended. */
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

/**
 * Runs the doctor's checks; what an administrator has to mend is mended when there is one in the settings.
 * Returns the statements that were run for that. Raises PreflightError when something is still missing.
 */
export async function preflight(
  settings: Settings,
  streams: readonly StreamName[],
): Promise<string[]> {
  const mended: string[] = [];
  // What one round mends can bring to light what the next one has to.
  for (;;) {
    const report = await runDoctor(settings, { streams });
    if (failures(report).length === 0) return mended;
    const lines = settings.admin === undefined ? [] : await mendAsAdministrator(settings, report);
    if (lines.every((line) => mended.includes(line))) throw new PreflightError(report);
    mended.push(...lines);
  }
}
