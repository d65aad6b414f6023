export interface ClusterOptions {
  /** The value of cron.database_name. */
  cronDatabase: string;
  /** False leaves pg_cron out of shared_preload_libraries. */
  preloadPgCron: boolean;
  /** Further settings of postgresql.conf; they override the cluster's own. */
  settings: Record<string, string>;
}

/** Where the server runs, for tools that must run next to it (pg_dump of the same version). */
export type ServerLocation =
  | { kind: 'docker'; container: string }
  | { kind: 'local'; binDirectory: string; socketDirectory: string };

/** Plain data, which survives JSON, so that it can be passed to another process. */
export interface ClusterAddress {
  runtime: 'docker' | 'local';
  host: '127.0.0.1';
  port: number;
  /** The port that the server itself listens on; in Docker it differs from `port`. */
  serverPort: number;
  adminUser: 'postgres';
  adminPassword: string;
  location: ServerLocation;
}

export interface ThrowawayCluster extends ClusterAddress {
  /** Restarts with the current options and these changes; the port stays the same. */
  restart(changes?: Partial<ClusterOptions>): Promise<void>;
  /** Stops the server and removes everything that it left; may be called again. */
  stop(): Promise<void>;
  /** Lets the server outlive this process; returns the shell command that removes it. */
  keep(): string;
  logs(): Promise<string>;
}

export function changeOptions(
  options: ClusterOptions,
  changes: Partial<ClusterOptions>,
): ClusterOptions {
  return {
    ...options,
    ...changes,
    settings: { ...options.settings, ...changes.settings },
  };
}
