import path from 'node:path';
import { configureProcessor } from '../src/operations/configure-processor.js';
import { setup } from '../src/operations/setup.js';
import { defaultJobName } from '../src/processor/default-job-name.js';
import { setProcessor } from '../src/processor/processor-config.js';
import type { Settings } from '../src/settings/settings.js';
import type { Environment } from '../tools/quickstart/environment.js';
import { invoke } from './cli/invoke.js';

/** Deploys one site with pg_cron's jobs, as a certain build of the package does. */
export interface Deployer {
  /** Leaves the processor disabled. */
  setup(): Promise<void>;
  enable(): Promise<void>;
}

export const quietly = { waitSeconds: 60, drainSeconds: 60, onWait: () => {}, log: () => {} };

export function thisCheckout(settings: Settings): Deployer {
  return {
    async setup() {
      await setup(settings, { enable: false, ...quietly });
    },
    async enable() {
      await configureProcessor(settings, quietly, (work) =>
        setProcessor(work, settings, defaultJobName(settings), { enabled: true }),
      );
    },
  };
}

/** `main` is its command line. */
export function otherBuild(main: string, env: Environment): Deployer {
  const run = async (...args: string[]) => {
    await invoke({
      program: process.execPath,
      args: [main, ...args],
      cwd: path.dirname(main),
      env,
    });
  };
  return { setup: () => run('setup'), enable: () => run('processor', 'enable') };
}
