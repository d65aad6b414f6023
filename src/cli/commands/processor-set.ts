import { defineCommand } from '../command.js';
import {
  emptyName,
  processorChange,
  processorName,
  processorOptions,
  waitLock,
} from '../options.js';
import { changeText } from '../output/processors.js';
import { changeProcessor } from '../processor-change-outcome.js';

export const processorSetCommand = defineCommand({
  name: 'processor set',
  examples: [
    ['processor set --parallel 8', 'Work on more fragments at a time'],
    ['processor set --frequency 90 --timeout 600', 'Look less often, give up sooner'],
    ['processor set nightly --result-limit none', 'Another processor than the default'],
  ],
  positionals: processorName,
  options: { ...processorOptions, ...waitLock },
  check: (args) =>
    emptyName(args) ??
    (changeText(processorChange(args)) === ''
      ? `Nothing to set: give at least one of ${Object.keys(processorOptions)
          .map((option) => `--${option}`)
          .join(', ')}.`
      : undefined),
  run: (args, context) => changeProcessor(context, args, processorChange(args)),
});
