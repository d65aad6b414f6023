import { EXIT_CODES } from '../errors/exit-codes.js';
import { shown } from '../errors/shown.js';
import { configureProcessor } from '../operations/configure-processor.js';
import { defaultJobName } from '../processor/default-job-name.js';
import {
  type ProcessorChange,
  setProcessor,
  UnknownProcessorError,
} from '../processor/processor-config.js';
import { type ProcessorStatus, readProcessors } from '../processor/read-processors.js';
import type { Context, Outcome } from './command.js';
import type { ProcessorChangeReport } from './json-shape.js';
import { heldText } from './output/holds.js';
import { jobActions } from './output/jobs.js';
import { changeText } from './output/processors.js';
import { roomText } from './output/room.js';
import { paragraphs } from './output/text.js';

const ALL = '*';

/** Changes an existing processor, or all, and says whether it was like that already. */
export async function changeProcessor(
  context: Context,
  args: {
    readonly name?: string | undefined;
    readonly all?: boolean;
    readonly 'wait-lock': number;
  },
  change: ProcessorChange,
): Promise<Outcome<ProcessorChangeReport>> {
  const settings = context.settings();
  const processor = args.all ? ALL : (args.name ?? defaultJobName(settings));
  let changed = false;
  const { jobs, holds, room } = await configureProcessor(
    settings,
    context.lockWait(args['wait-lock']),
    async (work) => {
      const all = await readProcessors(work, settings);
      const wanted = all.filter(({ jobName }) => processor === ALL || jobName === processor);
      if (wanted.length === 0) {
        throw new UnknownProcessorError(
          processor,
          all.map(({ jobName }) => jobName),
        );
      }
      const differing = wanted.filter((before) => differs(before, change));
      changed = differing.length > 0;
      for (const { jobName } of differing) await setProcessor(work, settings, jobName, change);
    },
  );
  const which = processor === ALL ? 'every processor' : `processor "${shown(processor)}"`;
  const where = `${which} in database "${settings.work.database}"`;
  const what = changeText(change);
  return {
    exitCode: EXIT_CODES.done,
    report: { processor, change, changed, holds, jobs, room },
    text: (style) =>
      paragraphs(
        changed ? `Set ${where}: ${what}.` : `Nothing to do: ${where} is as asked for: ${what}.`,
        jobActions(settings, jobs),
        roomText(room, style),
        heldText(holds, context, style),
      ),
  };
}

function differs(before: ProcessorStatus, change: ProcessorChange): boolean {
  return (Object.keys(change) as (keyof ProcessorChange)[]).some(
    (key) => change[key] !== undefined && (change[key] ?? undefined) !== before[key],
  );
}
