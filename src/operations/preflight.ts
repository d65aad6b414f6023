import { applyRemediesAsAdministrator } from '../doctor/apply-remedies.js';
import { type CheckResult, type DoctorReport, failures } from '../doctor/check-result.js';
import { runDoctor } from '../doctor/run-doctor.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';

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

/**
 * Runs the doctor's checks, and fixes what needs an administrator if the settings name one.
 * Returns the statements that it ran for that. Raises PreflightError when something is still missing.
 */
export async function preflight(
  settings: Settings,
  streams: readonly StreamName[],
): Promise<string[]> {
  const applied: string[] = [];
  // A fix can bring to light the next thing to fix.
  for (;;) {
    const report = await runDoctor(settings, { streams });
    if (failures(report).length === 0) return applied;
    const lines =
      settings.admin === undefined ? [] : await applyRemediesAsAdministrator(settings, report);
    if (lines.every((line) => applied.includes(line))) throw new PreflightError(report);
    applied.push(...lines);
  }
}
