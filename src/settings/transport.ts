import { quoted } from './found.js';
import { sameHost } from './host.js';
import type { Lookup } from './lookup.js';
import type { Problems } from './problem.js';
import type { ConnectionSettings, Mode, Transport } from './settings.js';

export function modeOf(work: ConnectionSettings, cron: ConnectionSettings): Mode {
  return sameHost(work.host, cron.host) &&
    work.port === cron.port &&
    work.database === cron.database
    ? 'single'
    : 'cross';
}

/** What PCACHE_CRON_TRANSPORT asks for; whether it is possible depends on the mode. */
export function readTransport(
  lookup: Lookup,
  problems: Problems,
): Exclude<Transport, 'direct'> | undefined {
  const found = lookup('PCACHE_CRON_TRANSPORT');
  const transport = found?.value;
  if (transport === 'deploy' || transport === 'link') return transport;
  return problems.add(
    'PCACHE_CRON_TRANSPORT',
    `${found && quoted(found)} is not a transport`,
    'Set it to deploy or link.',
  );
}

export function transportIn(
  mode: Mode,
  wanted: Exclude<Transport, 'direct'>,
  cron: ConnectionSettings,
  problems: Problems,
): Transport {
  if (mode === 'single') {
    if (wanted === 'link') refuseLinkInSingleMode(cron, problems);
    return 'direct';
  }
  if (wanted === 'link' && cron.password === undefined) refuseLinkWithoutPassword(problems);
  return wanted;
}

function refuseLinkInSingleMode({ database }: ConnectionSettings, problems: Problems): void {
  problems.add(
    'PCACHE_CRON_TRANSPORT',
    `link is for a pg_cron in another database, but PG_CRON_DATABASE and DB_NAME are both ${JSON.stringify(database)}`,
    'Unset it: within one database nothing has to be transported.',
  );
}

function refuseLinkWithoutPassword(problems: Problems): void {
  problems.add(
    'PG_CRON_PASSWORD',
    'is not set, but the link transport needs it to log in to the cron database from within the server',
    'Set it (a password file is not enough), or set PCACHE_CRON_TRANSPORT to deploy.',
  );
}
