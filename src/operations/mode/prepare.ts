import type { ClientBase } from 'pg';
import { withClient } from '../../database/connect.js';
import { isDatabaseError } from '../../database/database-error.js';
import { readCronStanding } from '../../deployment/cron-place.js';
import { findLostDeployment } from '../../deployment/lost-deployment.js';
import { NotDeployedError, requireRecentPackage } from '../../deployment/require-deployed.js';
import { readStreamPlan, type StreamPlan } from '../../deployment/stream-plan.js';
import { isForAdministrator } from '../../doctor/apply-remedies.js';
import { type DoctorReport, failures } from '../../doctor/check-result.js';
import { runDoctor } from '../../doctor/run-doctor.js';
import { ForeignSchemaError, LedgerError } from '../../migrations/ledger-error.js';
import type { Mode, Settings } from '../../settings/settings.js';
import { PreflightError } from '../preflight.js';
import { OlderCronStreamError, OldPlaceNotOursError, WorkStreamPendingError } from './errors.js';
import type { Old } from './survey.js';

/** What the way itself puts right. */
const EXPECTED: ReadonlySet<string> = new Set(['recorded-place', 'pg-cron-database']);

/**
 * Whether the new place can be deployed to, apart from the restart; what an administrator of the settings can put right
 * is in the report. Raises PreflightError for anything else.
 */
export async function examineNewPlace(settings: Settings): Promise<DoctorReport> {
  const { checks } = await runDoctor(settings, { streams: ['work', 'cron'] });
  const report = { checks: checks.filter(({ id }) => !EXPECTED.has(id)) };
  if (failures(report).length === 0) return report;
  if (settings.admin === undefined || !isForAdministrator(report)) throw new PreflightError(report);
  return report;
}

/**
 * Raises NotDeployedError or WorkStreamPendingError unless the work stream is up to date: it is not what moves. On the
 * way there or back nothing else can bring it up to date.
 */
export async function requireWorkStream(work: ClientBase, settings: Settings): Promise<void> {
  const plan = await readStreamPlan(work, settings, 'work');
  const { applied, pending, database } = plan;
  if (applied.length === 0) {
    throw new NotDeployedError(plan, await findLostDeployment(work, settings));
  }
  if (pending.length === 0) return;
  const { move, elsewhere } = await readCronStanding(work, settings);
  if (move !== undefined) return;
  throw new WorkStreamPendingError(database, pending.length, elsewhere);
}

/**
 * Raises LedgerError, OldPlaceNotOursError, PackageTooOldError or OlderCronStreamError when what is there could not be
 * deployed again.
 */
export async function requireReplaceable(
  work: ClientBase,
  { settings, place }: Old,
  mode: Mode,
): Promise<void> {
  requireNoNewer(await readStreamPlan(work, settings, 'work'));
  if (place.state !== 'deployed' && place.state !== 'foreign') return;
  await withClient(settings.cron, async (cron) =>
    requireNoNewer(
      await readStreamPlan(cron, settings, 'cron').catch((error) => {
        throw isOfAnother(error) ? new OldPlaceNotOursError(settings, mode, error) : error;
      }),
    ),
  );
}

function isOfAnother(error: unknown): error is LedgerError {
  if (!(error instanceof LedgerError)) return false;
  const { cause } = error;
  // A table of that name with other columns.
  return error instanceof ForeignSchemaError || (isDatabaseError(cause) && cause.code === '42703');
}

function requireNoNewer(plan: StreamPlan): void {
  requireRecentPackage(plan);
  const newer = plan.newer.at(-1);
  if (newer === undefined) return;
  throw new OlderCronStreamError(
    plan.database,
    newer.record?.packageVersion ?? 'of a newer version',
  );
}
