import { withClient } from '../../database/connect.js';
import { shown } from '../../errors/shown.js';
import { type StillAtWork, stillAtWork } from '../../processor/still-at-work.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand, type Outcome } from '../command.js';
import type { ProcessorDisableReport } from '../json-shape.js';
import { emptyName, processorName, waitLock } from '../options.js';
import { paragraphs } from '../output/text.js';
import { changeProcessor } from '../processor-change-outcome.js';

export const processorDisableCommand = defineCommand({
  name: 'processor disable',
  details:
    'A run ends within about a second, or with the fragment that it is evaluating. The command lists what is still at work, with the line that cancels it.',
  examples: [
    ['processor disable', 'The default processor'],
    ['processor disable nightly', 'Another one'],
    ['processor disable --all', 'Whatever works on the queue'],
  ],
  positionals: processorName,
  options: {
    all: { type: 'boolean', default: false, describe: 'Every processor of the queue' },
    ...waitLock,
  },
  check: (args) =>
    args.all && args.name !== undefined
      ? 'Either a name or --all says what to disable, not both.'
      : emptyName(args),
  run: async (args, context) => {
    const settings = context.settings();
    const outcome = await changeProcessor(context, args, { enabled: false });
    return withRest(settings, context, outcome, await readRest(settings));
  },
});

function readRest(settings: Settings): Promise<StillAtWork> {
  return withClient(settings.work, (work) => stillAtWork(work, settings));
}

function withRest(
  settings: Settings,
  { invocation }: Context,
  { exitCode, report, text }: Awaited<ReturnType<typeof changeProcessor>>,
  rest: StillAtWork,
): Outcome<ProcessorDisableReport> {
  return {
    exitCode,
    report: { ...report, stillEnabled: rest.enabled, stillActive: rest.active },
    text: (style) =>
      paragraphs(
        text(style),
        rest.enabled.length > 0 &&
          style.warning(
            `Still enabled: ${rest.enabled.map(shown).join(', ')}. To stop all: ${invocation('processor disable --all')}`,
          ),
        rest.active.length > 0 &&
          style.warning(
            [
              'Still at work on what was begun before; to cancel one, as the role',
              `"${settings.cron.user}" in database "${settings.work.database}" (it goes back to the queue):`,
              ...rest.active.map(
                ({ pid, processor, slot, queryHash, seconds }) =>
                  `  SELECT pg_cancel_backend(${pid});  -- ${shown(processor)}, slot ${slot}, fragment ${shown(queryHash)}, since ${Math.round(seconds)} s`,
              ),
            ].join('\n'),
          ),
      ),
  };
}
