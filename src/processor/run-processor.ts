import type { ClientBase } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { type Hold, readHolds } from './holds.js';
import { processorNames, UnknownProcessorError } from './processor-config.js';

export interface ManualRunReport {
  readonly processed: number;
  /** How many had which outcome: ok, limit, skipped, failed, timeout, put_back. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Nothing may be processed, by hand either. */
export class ProcessingHeldError extends PcacheError {
  override readonly name = 'ProcessingHeldError';

  constructor({ work }: Settings, { holder, reason, heldBy, since }: Hold) {
    super(
      `Processing of database "${work.database}" is held by ${shown(holder)} since ${since.toISOString()} (role "${shown(heldBy)}"): ${shown(reason)}`,
      {
        remedy:
          holder === 'pause'
            ? 'When the reason is gone: pcache-migrate resume'
            : `Wait for pcache-migrate ${shown(holder)}, or run it again.`,
      },
    );
  }
}

/** Processes up to `count` queued fragments in this session, and settles each on its own, even if the processor is disabled. */
export async function runProcessor(
  work: ClientBase,
  settings: Settings,
  jobName: string,
  count: number,
): Promise<ManualRunReport> {
  const [hold] = await readHolds(work, settings);
  if (hold !== undefined) throw new ProcessingHeldError(settings, hold);
  await setItemTimeout(work, settings, jobName);
  const outcomes: Record<string, number> = {};
  let processed = 0;
  while (processed < count) {
    const { rows } = await work.query<{ p_outcome: string | null }>(
      `CALL ${ownName(settings, 'process_now')}($1, NULL)`,
      [jobName],
    );
    const outcome = rows[0]?.p_outcome;
    if (outcome === null || outcome === undefined) break;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    processed += 1;
    if (outcome === 'cancelled') break;
  }
  return { processed, outcomes };
}

// One CALL processes one fragment, so here the statement timeout can serve as the fragment's timeout. It is a second
// longer, to leave time for the claim: a cancel that comes before the fragment's own timeout counts as an operator's.
async function setItemTimeout(
  work: ClientBase,
  settings: Settings,
  jobName: string,
): Promise<void> {
  const { processorConfig } = deploymentTables(settings);
  await withOwnTables(work, settings, 'read', [processorConfig], async () => {
    const { rows } = await work.query(
      `SELECT pg_catalog.set_config('statement_timeout', least((timeout_seconds::bigint + 1) * 1000, 2147483647)::text, false)
         FROM ${clientName(settings, processorConfig)} WHERE job_name = $1`,
      [jobName],
    );
    if (rows.length === 0) {
      throw new UnknownProcessorError(jobName, await processorNames(work, settings));
    }
  });
}
