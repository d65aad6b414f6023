import { defineCommand } from '../command.js';
import { emptyName, processorName, waitLock } from '../options.js';
import { changeProcessor } from '../processor-change-outcome.js';

export const processorEnableCommand = defineCommand({
  name: 'processor enable',
  examples: [
    ['processor enable', 'The default processor'],
    ['processor enable nightly', 'Another one'],
  ],
  positionals: processorName,
  options: waitLock,
  check: emptyName,
  run: (args, context) => changeProcessor(context, args, { enabled: true }),
});
