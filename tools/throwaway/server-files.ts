import type { ClusterOptions } from './cluster.js';

export interface ServerPlace {
  listenAddresses: string;
  port: number;
  socketDirectory: string;
  hbaFile: string;
}

export function renderPostgresqlConf(place: ServerPlace, options: ClusterOptions): string {
  const settings: Record<string, string> = {
    listen_addresses: place.listenAddresses,
    port: String(place.port),
    unix_socket_directories: place.socketDirectory,
    hba_file: place.hbaFile,
    log_line_prefix: '%m [%p] %q%u@%d ',
    // A throwaway cluster does not survive its machine anyway.
    fsync: 'off',
    full_page_writes: 'off',
    ...(options.preloadPgCron ? cronSettings(place, options.cronDatabase) : {}),
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${checkName(name)} = ${quote(value)}\n`)
    .join('');
}

// pg_cron logs in over the socket, which needs no password; whoever connects over TCP (dblink, the
// clients) must give one, as on a real server.
export const pgHbaConf = `local all all trust
host all all all scram-sha-256
host replication all all scram-sha-256
`;

function cronSettings(place: ServerPlace, cronDatabase: string): Record<string, string> {
  return {
    shared_preload_libraries: 'pg_cron',
    'cron.database_name': cronDatabase,
    'cron.host': place.socketDirectory,
  };
}

function checkName(name: string): string {
  if (!/^\w+(\.\w+)?$/.test(name)) throw new Error(`not the name of a server setting: '${name}'`);
  return name;
}

function quote(value: string): string {
  if (value.includes('\n')) {
    throw new Error(`a server setting cannot hold a line break: '${value}'`);
  }
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
