import { untilInterrupted } from '../../src/cli/interrupt.js';
import type { ThrowawayCluster } from '../throwaway/cluster.js';
import { findRuntime, type Runtime } from '../throwaway/find-runtime.js';
import { startCluster } from '../throwaway/start-cluster.js';
import { demonstrate } from './demonstrate.js';
import { environmentFor, settingsFrom } from './environment.js';
import { keepServer, type ShownServer } from './keep-server.js';
import { stepsOnOwnServer } from './next-steps.js';
import type { Output } from './output.js';

export interface QuickstartOptions {
  readonly keep: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly interruption: AbortSignal;
}

const logLinesShown = 20;

/** Throws if a step fails or is interrupted. The server is removed then, and always without `keep`. */
export async function quickstart(options: QuickstartOptions): Promise<void> {
  const { env, output, interruption } = options;
  const { say } = output;
  const start = performance.now();

  say(output.style.bold('Starting a throwaway server'));
  const runtime = await untilInterrupted(interruption, [], () => findRuntime({ env, say }));
  say(`  from ${describe(runtime)}`);
  const starting = startCluster(runtime);
  let kept = false;
  try {
    const shown = await untilInterrupted(interruption, [], () => demonstrateOn(starting, output));
    say('');
    say(`Done in ${Math.round((performance.now() - start) / 1000)} s.`);
    if (options.keep) {
      const steps = await keepServer(shown, env);
      kept = true;
      for (const line of steps) say(line);
    }
  } finally {
    if (!kept) await remove(starting);
  }
  if (!kept) {
    say('The throwaway server is removed.');
    for (const line of stepsOnOwnServer) say(line);
  }
}

function describe(runtime: Runtime): string {
  return runtime.kind === 'docker'
    ? `the Docker image ${runtime.image}`
    : `the PostgreSQL in ${runtime.binDirectory}`;
}

async function demonstrateOn(
  starting: Promise<ThrowawayCluster>,
  output: Output,
): Promise<ShownServer> {
  const cluster = await starting;
  const environment = environmentFor(cluster);
  // The directory of this file contains no .env.
  const settings = settingsFrom(environment, import.meta.dirname);
  try {
    await demonstrate(settings, output);
  } catch (error) {
    output.say('');
    output.say("The end of the server's log:");
    output.say((await cluster.logs()).trimEnd().split('\n').slice(-logLinesShown).join('\n'));
    throw error;
  }
  return { cluster, environment, settings };
}

// It may still be starting, and it must have started before it can be removed.
async function remove(starting: Promise<ThrowawayCluster>): Promise<void> {
  const cluster = await starting.catch(() => undefined);
  await cluster?.stop();
}
