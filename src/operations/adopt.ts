import type { AdoptionProposal } from '../adoption/propose-adoption.js';
import { withClient } from '../database/connect.js';
import { requireNoCronMove } from '../deployment/cron-move.js';
import { readWhereabouts, type Whereabouts } from '../deployment/whereabouts.js';
import type { Settings } from '../settings/settings.js';
import { adoptForeign, planForeignAdoption } from './adopt-foreign.js';
import { adoptMoved } from './adopt-moved.js';
import type { AdoptOptions, AdoptPreview, AdoptReport } from './adopt-report.js';

/**
 * Takes over a work database that was renamed, copied, restored or moved to another server since it was deployed, or a
 * set-up that PartitionCache's own tool made. May be called again whenever it was interrupted. Raises PreflightError,
 * OwnersLostError, NotAdoptableError, UnknownDatabaseError or CronMovingError before anything is changed.
 */
export async function adopt(settings: Settings, options: AdoptOptions): Promise<AdoptReport> {
  const found = await withClient(settings.work, async (work) => {
    await requireNoCronMove(work, settings);
    return readWhereabouts(work, settings);
  });
  // What moved has to be put right before anything can be said of what else is there.
  const proposal =
    found.kind === 'not deployed' || found.kind === 'same'
      ? await planForeignAdoption(settings)
      : undefined;
  return proposal === undefined
    ? adoptMoved(settings, options)
    : adoptTool(settings, options, found, proposal);
}

const DRAIN_SECONDS = 60;

async function adoptTool(
  settings: Settings,
  options: AdoptOptions,
  found: Whereabouts,
  planned: AdoptionProposal,
): Promise<AdoptReport> {
  if (options.dryRun) return reportOf(found, planned, { dryRun: true, confirmed: true });
  const { proposal, confirmed, administrator, tables, up } = await adoptForeign(settings, {
    ...options,
    confirm: (current) => options.confirm(previewOf(found, current)),
    drainSeconds: DRAIN_SECONDS,
    onOldRuns: (pids) =>
      options.log(
        `Waiting for jobs that are at work (pid ${pids.join(', ')}), up to ${DRAIN_SECONDS} s.`,
      ),
  });
  return reportOf(found, proposal, {
    dryRun: false,
    confirmed,
    administrator,
    jobs: up?.jobs ?? [],
    tables,
    ...(typeof up?.release === 'number' && { release: up.release }),
  });
}

function previewOf(
  found: Whereabouts,
  { steps, notKept, changes, asAdministrator, byHand, problems }: AdoptionProposal,
): AdoptPreview {
  return { found, steps, left: notKept, tool: { changes, asAdministrator, byHand, problems } };
}

function reportOf(
  found: Whereabouts,
  proposal: AdoptionProposal,
  done: Pick<AdoptReport, 'dryRun' | 'confirmed'> & Partial<AdoptReport>,
): AdoptReport {
  return {
    ...previewOf(found, proposal),
    administrator: [],
    restored: [],
    refused: [],
    removed: [],
    jobs: [],
    ...done,
  };
}
