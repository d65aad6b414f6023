import { withClient } from '../../database/connect.js';
import { requireDeployed } from '../../deployment/require-deployed.js';
import { UnknownProcessorError } from '../../processor/change-processor.js';
import { readProcessors } from '../../processor/read-processors.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { ProcessorStatusReport } from '../json-shape.js';
import { emptyName } from '../options.js';
import { processorTable } from '../output/processors.js';
import type { Style } from '../output/style.js';

export const processorStatusCommand = defineCommand({
  name: 'processor status',
  summary: 'Show the processors, what is queued, and what came of the last hour',
  examples: [
    ['processor status', 'All processors of the deployment'],
    ['processor status nightly', 'One of them'],
    ["processor status --json | jq '.processors[].queued'", 'How much is queued'],
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

async function readReport(
  settings: Settings,
  name: string | undefined,
): Promise<ProcessorStatusReport> {
  const all = await withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    return readProcessors(work, settings);
  });
  const processors = name === undefined ? all : all.filter(({ jobName }) => jobName === name);
  if (name !== undefined && processors.length === 0) {
    throw new UnknownProcessorError(
      name,
      all.map(({ jobName }) => jobName),
    );
  }
  return { processors };
}

function statusText(
  settings: Settings,
  { processors }: ProcessorStatusReport,
  { invocation }: Context,
  style: Style,
): string {
  return processors.length === 0
    ? `There are no processors in database "${settings.work.database}" yet. Create one with: ${invocation('setup')}`
    : processorTable(processors, style);
}
