import { defaultJobName } from '../processor/default-job-name.js';
import { addProcessor, processorNames, setProcessor } from '../processor/processor-config.js';
import type { Settings } from '../settings/settings.js';
import { type ConfigureReport, configureProcessor } from './configure-processor.js';
import { up } from './up.js';
import type { UpOptions, UpReport } from './up-report.js';

export interface SetupOptions extends Omit<UpOptions, 'streams' | 'to' | 'judgesRoom'> {
  readonly frequencySeconds?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly parallel?: number | undefined;
  /** Without it a new processor is disabled, and an existing one stays as it is. */
  readonly enable: boolean;
}

export interface SetupReport extends UpReport {
  readonly processor: { readonly jobName: string; readonly created: boolean };
  /** What configuring the processor did to pg_cron's jobs, beyond `jobs` of the deployment. */
  readonly processorJobs: ConfigureReport['jobs'];
}

/** Deploys both streams and configures one processor, named as PartitionCache's own tools name it. */
export async function setup(settings: Settings, options: SetupOptions): Promise<SetupReport> {
  const deployed = await up(settings, {
    ...options,
    streams: ['work', 'cron'],
    judgesRoom: false,
  });
  const jobName = defaultJobName(settings);
  const change = {
    ...(options.enable ? { enabled: true } : {}),
    frequencySeconds: options.frequencySeconds,
    timeoutSeconds: options.timeoutSeconds,
    parallel: options.parallel,
  };
  let created = false;
  const { jobs: processorJobs, room } = await configureProcessor(
    settings,
    options,
    async (work) => {
      created = !(await processorNames(work, settings)).includes(jobName);
      await (created ? addProcessor : setProcessor)(work, settings, jobName, change);
    },
  );
  return { ...deployed, processor: { jobName, created }, processorJobs, room };
}
