import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { configureProcessor } from '../../operations/configure-processor.js';
import { defaultJobName } from '../../processor/default-job-name.js';
import { addProcessor } from '../../processor/processor-config.js';
import { defineCommand } from '../command.js';
import {
  emptyName,
  processorChange,
  processorName,
  processorOptions,
  waitLock,
} from '../options.js';
import { heldText } from '../output/holds.js';
import { jobActions } from '../output/jobs.js';
import { changeText } from '../output/processors.js';
import { roomText } from '../output/room.js';
import { paragraphs } from '../output/text.js';

export const processorAddCommand = defineCommand({
  name: 'processor add',
  examples: [
    ['processor add nightly --frequency 3600', 'Disabled, to be enabled later'],
    ['processor add bulk --parallel 10 --enable', 'At work at once'],
  ],
  positionals: processorName,
  options: {
    ...processorOptions,
    enable: { type: 'boolean', describe: 'Enable it; without it it is disabled' },
    ...waitLock,
  },
  check: emptyName,
  run: async (args, context) => {
    const settings = context.settings();
    const processor = args.name ?? defaultJobName(settings);
    const change = { enabled: args.enable === true, ...processorChange(args) };
    const { jobs, holds, room } = await configureProcessor(
      settings,
      context.lockWait(args['wait-lock']),
      (work) => addProcessor(work, settings, processor, change),
    );
    return {
      exitCode: EXIT_CODES.done,
      report: { processor, change, changed: true, holds, jobs, room },
      text: (style) =>
        paragraphs(
          `Created processor "${shown(processor)}" in database "${settings.work.database}": ${changeText(change)}.`,
          jobActions(settings, jobs),
          roomText(room, style),
          heldText(holds, context, style),
        ),
    };
  },
});
