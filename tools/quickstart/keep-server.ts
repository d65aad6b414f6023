import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ThrowawayCluster } from '../throwaway/cluster.js';
import {
  type Environment,
  type QuickstartSettings,
  renderEnvFile,
  variablesSetIn,
} from './environment.js';
import { stepsOnKeptServer } from './next-steps.js';

export interface ShownServer {
  readonly cluster: ThrowawayCluster;
  readonly environment: Environment;
  readonly settings: QuickstartSettings;
}

/** Lets the server outlive this process; returns how to use it and how to remove it. */
export async function keepServer(
  { cluster, environment, settings }: ShownServer,
  callersEnvironment: NodeJS.ProcessEnv,
): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pcache-quickstart-'));
  const envFile = path.join(directory, '.env');
  await writeFile(envFile, renderEnvFile(environment), { mode: 0o600 });
  return stepsOnKeptServer({
    cluster,
    settings,
    envFile,
    stopCommand: `${cluster.keep()}; rm -r ${directory}`,
    overridden: variablesSetIn(callersEnvironment),
  });
}
