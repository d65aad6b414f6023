import { deploymentTables } from '../deployment/placeholder-values.js';
import { streamSites } from '../deployment/stream-sites.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';

/** Whose objects are ours in the database of a stream. */
export interface ObjectScope {
  readonly stream: StreamName;
  readonly database: string;
  /** Everything in it is ours. */
  readonly schema: string;
  /** The role that deploys there; whoever verifies may be another. */
  readonly owner: string;
  /** Of this one, what the migrations made there; undefined: nothing. */
  readonly clientSchema: string | undefined;
  /** Tables of the clients' schema whose names begin so are made and dropped by the processor. */
  readonly cachePrefix: string;
  /** A role that may read what is ours, since it plans; undefined: none. */
  readonly reader: string | undefined;
  /** Those of them that are none of these. */
  readonly tables: readonly string[];
}

export function objectScope(settings: Settings, stream: StreamName): ObjectScope {
  const { connection, schema } = streamSites(settings)[stream];
  return {
    stream,
    database: connection.database,
    owner: connection.user,
    schema,
    clientSchema: stream === 'work' ? settings.clientSchema : undefined,
    cachePrefix: `${settings.tablePrefix}_cache_`,
    reader: settings.planner?.user,
    tables: Object.values(deploymentTables(settings)),
  };
}
