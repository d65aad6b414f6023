import { withClient } from '../../database/connect.js';
import { requireDeployed } from '../../deployment/require-deployed.js';
import { readWhereabouts } from '../../deployment/whereabouts.js';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { readHolds } from '../../processor/holds.js';
import { UnknownProcessorError } from '../../processor/processor-config.js';
import { readActive } from '../../processor/read-active.js';
import { readFailures } from '../../processor/read-failures.js';
import { readKnownFragments } from '../../processor/read-known-fragments.js';
import { readProcessors } from '../../processor/read-processors.js';
import { readQueueDepth } from '../../processor/read-queue-depth.js';
import { readThroughput } from '../../processor/read-throughput.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import type { ProcessorStatusReport } from '../json-shape.js';
import { emptyName } from '../options.js';
import {
  activeText,
  failuresText,
  queueText,
  remedyText,
  throughputText,
} from '../output/activity.js';
import { heldText } from '../output/holds.js';
import { processorTable } from '../output/processors.js';
import type { Style } from '../output/style.js';
import { paragraphs } from '../output/text.js';
import { movedText } from '../output/whereabouts.js';

export const processorStatusCommand = defineCommand({
  name: 'processor status',
  details:
    'Times are those of the evaluation. What failed is shown by SQLSTATE with an example; "processor retry" puts it back into the queue. With a name, work and throughput are those of this processor; the queue and the failures are of all.',
  examples: [
    ['processor status', 'All processors of the deployment'],
    ['processor status nightly', 'One of them'],
    ['processor status --json | jq .queue.queued', 'How much is queued'],
    ["processor status --json | jq '.failures[].example'", 'An example of each kind of failure'],
  ],
  positionals: {
    name: { type: 'string', describe: "The processor's name; without it: all" },
  },
  options: {},
  check: emptyName,
  run: async ({ name }, context) => {
    const settings = context.settings();
    const report = await readReport(settings, name);
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) => statusText(settings, report, context, style),
    };
  },
});

function readReport(settings: Settings, name: string | undefined): Promise<ProcessorStatusReport> {
  return withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    const all = await readProcessors(work, settings);
    const names = all.map(({ jobName }) => jobName);
    if (name !== undefined && !names.includes(name)) throw new UnknownProcessorError(name, names);
    const wanted = (processor: string) => name === undefined || name === processor;
    const active = await readActive(work, settings);
    const throughput = await readThroughput(work, settings);
    return {
      whereabouts: await readWhereabouts(work, settings),
      holds: await readHolds(work, settings),
      processors: all.filter(({ jobName }) => wanted(jobName)),
      queue: await readQueueDepth(work, settings),
      active: active.filter(({ processor }) => wanted(processor)),
      throughput: throughput.filter(({ processor }) => wanted(processor)),
      failures: await readFailures(work, settings),
      fragments: await readKnownFragments(work, settings),
    };
  });
}

function statusText(
  settings: Settings,
  report: ProcessorStatusReport,
  { invocation, world }: Context,
  style: Style,
): string {
  const { holds, processors, queue, active, throughput, failures, fragments } = report;
  return paragraphs(
    processors.length === 0
      ? `There are no processors in database "${settings.work.database}" yet. Create one with: ${invocation('setup')}`
      : processorTable(processors, style),
    movedText(report.whereabouts, settings, { invocation }, style),
    heldText(holds, { world }, style),
    queueText(queue, style),
    activeText(active, style),
    throughputText(throughput, style),
    failuresText(failures, world.now(), style),
    remedyText(fragments, invocation, style),
  );
}
