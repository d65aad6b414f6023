import type { KeptTable } from '../deployment/kept-tables.js';
import type { DeploymentTables } from '../deployment/placeholder-values.js';

/** A table of the clients' contract that PartitionCache's own tool, or a client, made. */
export interface ForeignTable {
  readonly role: keyof DeploymentTables;
  readonly name: string;
  readonly owner: string;
  /** Whether the migrator has its owner's rights. */
  readonly isOurs: boolean;
  /** Undefined: a plain table that can be taken over. */
  readonly unusable: string | undefined;
  /** Null where this role may not read it. */
  readonly rows: number | null;
  readonly columns: readonly string[];
  readonly triggers: readonly string[];
  /** Views and foreign keys of others that read it. */
  readonly dependents: readonly string[];
  /** Roles besides the owner and those of the deployment that have privileges on it; null: PUBLIC. */
  readonly grantees: readonly { readonly role: string | null; readonly privileges: string[] }[];
}

/** A table with the sets of one partition key. */
export interface ForeignCache {
  readonly name: string;
  readonly partitionKey: string;
  readonly owner: string;
  readonly isOurs: boolean;
  /** Of the column of keys, as PostgreSQL prints it, such as `integer[]` or `bit(100)`. */
  readonly type: string;
  /** What the metadata says, or else what the column's type says; undefined: this cache cannot have such keys. */
  readonly datatype: string | undefined;
  /** Undefined: it can be taken over. */
  readonly unusable: string | undefined;
  /** Of a bit cache: the bits of a set. */
  readonly bits: number | undefined;
  /** Whether nothing hangs on it and its columns are those of our own. */
  readonly isPlain: boolean;
  readonly sets: number | null;
  /** Sets of which no query is known, so that they cannot be evaluated again. */
  readonly withoutQuery: number | null;
}

export interface ForeignFunction {
  /** As `DROP FUNCTION` takes it. */
  readonly signature: string;
  readonly kind: 'FUNCTION' | 'PROCEDURE' | 'AGGREGATE';
  readonly owner: string;
  readonly isOurs: boolean;
  /** What of others uses it, as views do, so that it cannot be dropped. */
  readonly dependents: readonly string[];
}

export function isUsed({ dependents }: ForeignFunction): boolean {
  return dependents.length > 0;
}

/** A row of the tool's configuration. */
export type ConfigRow = Readonly<Record<string, unknown>> & {
  readonly job_name: string;
  readonly enabled?: boolean;
  readonly max_parallel_jobs?: number;
  readonly frequency_seconds?: number;
  readonly timeout_seconds?: number;
  readonly table_prefix: string;
  readonly queue_prefix: string;
  readonly cache_backend: string;
  readonly target_database?: string;
  readonly result_limit?: number | null;
};

/** What there is in the work database. */
export interface ForeignWorkSide {
  readonly tables: readonly ForeignTable[];
  readonly caches: readonly ForeignCache[];
  readonly functions: readonly ForeignFunction[];
  /** Functions of the tool's name that this package does not know. */
  readonly unknownFunctions: readonly string[];
  /** The configuration tables of other set-ups of the tool, which share its functions. */
  readonly neighbours: readonly string[];
  readonly config: readonly ConfigRow[];
  /** Tables of the eviction manager, which are left alone. */
  readonly eviction: readonly string[];
  readonly aside: ForeignAside;
  /** What an earlier `down` kept. */
  readonly kept: readonly Pick<KeptTable, 'table' | 'rows'>[];
}

/** The schema that the old tables are moved to, where what does not fit stays. */
export interface ForeignAside {
  readonly exists: boolean;
  /** Who owns it, if that role could replace what is put there. */
  readonly stranger: string | undefined;
  /** Whether the migrator may make it, or put things into it. */
  readonly mayUse: boolean;
  /** Names of what is moved that are taken there, as by an earlier adoption. */
  readonly taken: readonly string[];
}

export interface ForeignJob {
  readonly jobId: string;
  readonly name: string;
  readonly role: string;
  readonly schedule: string;
  readonly command: string;
  readonly active: boolean;
}

/** The tool's copy of its configuration in the pg_cron database. */
export interface ForeignConfigCopy {
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  /** Whether the role that is connected may drop it. */
  readonly isOurs: boolean;
  readonly triggers: readonly string[];
  /** The rows of this deployment. */
  readonly rows: readonly ConfigRow[];
  /** How many rows are of others. */
  readonly otherRows: number;
  /** Those that nobody needs without it. */
  readonly functions: readonly ForeignFunction[];
}

/** What there is in the pg_cron database. */
export interface ForeignCronSide {
  readonly jobs: readonly ForeignJob[];
  /** Why the jobs could not be looked at. */
  readonly jobsUnknown: string | undefined;
  /** Whether jobs of every role are visible. */
  readonly seesAllJobs: boolean;
  /** Undefined in single mode, and where there is none. */
  readonly copy: ForeignConfigCopy | undefined;
  /** A table of that name that is not of the contract, or not of anybody whom this deployment knows. */
  readonly copyIgnored: string | undefined;
  /** A copy that this role may not read, as a quoted name with its schema. */
  readonly copyUnread: string | undefined;
}

export interface ForeignSetup {
  /** Undefined where the work database is deployed, or has nothing of the kind. */
  readonly work: ForeignWorkSide | undefined;
  /** Whether this package's own schema is. */
  readonly isDeployed: boolean;
  /** With which jobs of the tool would process the queue of a deployment. */
  readonly stray: readonly ForeignFunction[];
  /** Whether the last release in the work database did not come to its end, and pg_cron does not know of it. */
  readonly isUnfinished: boolean;
  readonly cron: ForeignCronSide;
}

/** Whether there is something of the tool's to take over or to remove, or an adoption to go on with. */
export function isThere({ work, isDeployed, stray, isUnfinished, cron }: ForeignSetup): boolean {
  const isLeftOver = stray.length > 0 || cron.jobs.length > 0 || cron.copy !== undefined;
  return work !== undefined || (isDeployed && (isUnfinished || isLeftOver));
}
