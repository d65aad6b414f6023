import type { ConnectionSettings } from '../../src/settings/settings.js';
import { asAdministrator } from '../../src/settings/settings.js';
import type { ClusterAddress } from '../throwaway/cluster.js';
import { setupCommand } from './deploy.js';
import type { QuickstartSettings } from './environment.js';

export const stepsOnOwnServer: readonly string[] = [
  'On your own server: copy .env.example to .env, fill it in, and run',
  '  npx pcache-migrate doctor',
  `  ${setupCommand}`,
  '  npx pcache-migrate status',
  'To keep this server and explore it: npm run quickstart -- --keep',
];

export interface KeptServer {
  readonly cluster: ClusterAddress;
  readonly settings: QuickstartSettings;
  readonly envFile: string;
  /** Removes the server and the file. */
  readonly stopCommand: string;
  /** Variables of the caller's environment that would override the file. */
  readonly overridden: readonly string[];
}

export function stepsOnKeptServer(kept: KeptServer): string[] {
  const { cluster, settings, envFile, stopCommand } = kept;
  const cli = [...unset(kept.overridden), 'npx pcache-migrate'].join(' ');
  return [
    'The server keeps running. Its passwords are random, and it listens on this machine only:',
    `  application    ${uri(settings.client)}`,
    `  migrator       ${uri(settings.work)}`,
    `  cron role      ${uri(settings.cron)}`,
    `  administrator  ${uri(asAdministrator(settings.cron, settings.admin))}`,
    `Its .env: ${envFile}`,
    ...(kept.overridden.length === 0
      ? []
      : [
          'Your environment sets variables that would override the file, and so lead to your own server;',
          'the commands below unset them.',
        ]),
    'Try:',
    `  ${cli} status --env-file ${envFile}`,
    `  ${cli} doctor --env-file ${envFile}`,
    `  ${cli} processor status --env-file ${envFile}`,
    `  ${psql(cluster, settings.client)}`,
    'Stop and remove it:',
    `  ${stopCommand}`,
  ];
}

function unset(variables: readonly string[]): string[] {
  return variables.length === 0 ? [] : ['env', ...variables.map((name) => `-u ${name}`)];
}

function uri({ user, password, host, port, database }: ConnectionSettings): string {
  return `postgresql://${user}:${password}@${host}:${port}/${database}`;
}

function psql({ location, serverPort }: ClusterAddress, connection: ConnectionSettings): string {
  return location.kind === 'docker'
    ? `docker exec -it ${location.container} psql ${uri({ ...connection, port: serverPort })}`
    : `${location.binDirectory}/psql ${uri(connection)}`;
}
