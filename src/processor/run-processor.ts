import type { ClientBase } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import type { Settings } from '../settings/settings.js';
import { processorNames, UnknownProcessorError } from './processor-config.js';

export interface ManualRunReport {
  readonly processed: number;
  /** How many had which outcome: ok, limit, skipped, failed, timeout, put_back. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Processes up to `count` queued fragments in this session, and settles each on its own, even if the processor is disabled. */
export async function runProcessor(
  work: ClientBase,
  settings: Settings,
  jobName: string,
  count: number,
): Promise<ManualRunReport> {
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
