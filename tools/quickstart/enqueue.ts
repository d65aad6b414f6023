import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { Settings } from '../../src/settings/settings.js';
import type { Fragment } from './fragments.js';

export const enqueueFunction = 'non_blocking_fragment_queue_batch_upsert';

/** Queues the fragments as an application does: under its own role, through the clients' function. */
export async function enqueue(settings: Settings, fragments: readonly Fragment[]): Promise<void> {
  await withClient(settings.client, async (client) => {
    const { rows } = await client.query<{ idx: number; status: string }>(
      `SELECT idx, status FROM ${clientName(settings, enqueueFunction)}(
         p_hashes => $1::text[], p_partition_keys => $2::text[], p_partition_datatypes => $3::text[],
         p_queries => $4::text[], p_queue_table => $5::text)`,
      [
        fragments.map(({ hash }) => hash),
        fragments.map(({ partitionKey }) => partitionKey),
        fragments.map(({ datatype }) => datatype),
        fragments.map(({ query }) => query),
        deploymentTables(settings).fragmentQueue,
      ],
    );
    const refused = rows.filter(({ status }) => status !== 'inserted');
    if (rows.length !== fragments.length || refused.length > 0) {
      throw new Error(
        `${enqueueFunction} queued ${rows.length - refused.length} of ${fragments.length} fragments: ${JSON.stringify(rows)}`,
      );
    }
  });
}
