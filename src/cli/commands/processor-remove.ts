import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { configureProcessor } from '../../operations/configure-processor.js';
import { defaultJobName } from '../../processor/default-job-name.js';
import { removeProcessor } from '../../processor/processor-config.js';
import { defineCommand } from '../command.js';
import { emptyName, processorName, waitLock } from '../options.js';
import { jobActions } from '../output/jobs.js';
import { paragraphs } from '../output/text.js';

export const processorRemoveCommand = defineCommand({
  name: 'processor remove',
  examples: [
    ['processor remove', 'The default processor'],
    ['processor remove nightly', 'Another one'],
  ],
  positionals: processorName,
  options: waitLock,
  check: emptyName,
  run: async (args, context) => {
    const settings = context.settings();
    const processor = args.name ?? defaultJobName(settings);
    const { jobs } = await configureProcessor(
      settings,
      context.lockWait(args['wait-lock']),
      (work) => removeProcessor(work, settings, processor),
    );
    return {
      exitCode: EXIT_CODES.done,
      report: { processor, jobs },
      text: () =>
        paragraphs(
          `Removed processor "${shown(processor)}" from database "${settings.work.database}". What is queued and cached stayed.`,
          jobActions(settings, jobs),
        ),
    };
  },
});
