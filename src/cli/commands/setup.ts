import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { type SetupReport, setup } from '../../operations/setup.js';
import type { ProcessorChange } from '../../processor/processor-config.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { drainTimeout, processorChange, scheduleOptions, verbose, waitLock } from '../options.js';
import { jobActions } from '../output/jobs.js';
import { changeText } from '../output/processors.js';
import { paragraphs } from '../output/text.js';
import { upText } from './up.js';

export const setupCommand = defineCommand({
  name: 'setup',
  details:
    'The same as up, then one processor with the name that PartitionCache gives it. Run again, it changes only what the options say.',
  examples: [
    ['setup --enable-after-setup', 'Deploy and start working on the queue'],
    ['setup --frequency 1 --timeout 1800 --parallel 3', 'Deploy; enable it later'],
    ['setup --env-file production.env', 'With another configuration'],
  ],
  positionals: {},
  options: {
    ...scheduleOptions,
    'enable-after-setup': {
      type: 'boolean',
      describe: 'Enable the processor; without it a new one is disabled, an existing one as it is',
    },
    ...verbose,
    ...drainTimeout,
    ...waitLock,
  },
  run: async (args, context) => {
    const settings = context.settings();
    const enable = args['enable-after-setup'] === true;
    const { frequencySeconds, timeoutSeconds, parallel } = processorChange(args);
    const report = await setup(settings, {
      frequencySeconds,
      timeoutSeconds,
      parallel,
      enable,
      ...context.lockWait(args['wait-lock']),
      log: context.log,
      onProgress: context.onProgress,
      drainSeconds: args['drain-timeout'],
      onDrain: context.onDrain,
      label: context.releaseLabel(),
    });
    const change = { frequencySeconds, timeoutSeconds, parallel };
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) =>
        paragraphs(
          upText(settings, report, args.verbose, context, style),
          processorText(settings, report, enable, change),
          jobActions(settings, report.processorJobs),
          nextText(context, report.processor.created && !enable),
        ),
    };
  },
});

function processorText(
  settings: Settings,
  { processor: { jobName, created } }: SetupReport,
  enable: boolean,
  change: ProcessorChange,
): string {
  const where = `processor "${shown(jobName)}" in database "${settings.work.database}"`;
  if (created) return `Created ${where}: ${changeText({ enabled: enable, ...change })}.`;
  const asked = changeText({ ...(enable && { enabled: true }), ...change });
  return asked === ''
    ? `The ${where} was there already, and stayed as it is.`
    : `Set ${where}: ${asked}.`;
}

function nextText({ invocation }: Context, disabled: boolean): string {
  const next: readonly (readonly [string, string])[] = [
    disabled
      ? ['processor enable', 'start working on the queue']
      : ['processor status', 'what is queued and what came of it'],
    ['status', 'migrations, processors, jobs and their runs'],
    ['processor set --parallel 8', 'work on more fragments at a time'],
  ];
  const lines = next.map(([commandLine, meaning]) => [invocation(commandLine), meaning] as const);
  const width = Math.max(...lines.map(([commandLine]) => commandLine.length));
  return ['Next:', ...lines.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`)].join(
    '\n',
  );
}
