import type { StreamName } from '../migrations/streams.js';
import type { ConnectionSettings, Settings } from '../settings/settings.js';

/** Where a stream is deployed. */
export interface StreamSite {
  readonly connection: ConnectionSettings;
  /** Our schema there, which also contains the ledger. */
  readonly schema: string;
  /** The name of the advisory lock that keeps out other runs of pcache-migrate. */
  readonly lock: string;
}

export function streamSites(
  settings: Pick<Settings, StreamName | 'schema' | 'cronSchema'>,
): Readonly<Record<StreamName, StreamSite>> {
  const { work, cron, schema, cronSchema } = settings;
  return {
    work: { connection: work, schema, lock: `pcache-migrate work ${schema}` },
    cron: { connection: cron, schema: cronSchema, lock: `pcache-migrate cron ${cronSchema}` },
  };
}
