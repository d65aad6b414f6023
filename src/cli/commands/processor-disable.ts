import { changeProcessor } from '../change-processor.js';
import { defineCommand } from '../command.js';
import { emptyName, processorName, waitLock } from '../options.js';

export const processorDisableCommand = defineCommand({
  name: 'processor disable',
  summary: 'Stop a processor: no further fragment is begun; what is queued stays',
  examples: [
    ['processor disable', 'The default processor'],
    ['processor disable nightly', 'Another one'],
  ],
  positionals: processorName,
  options: waitLock,
  check: emptyName,
  run: (args, context) => changeProcessor(context, args, { enabled: false }),
});
