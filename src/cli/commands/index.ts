import type { Command } from '../command.js';
import { configCommand } from './config.js';
import { doctorCommand } from './doctor.js';
import { downCommand } from './down.js';
import { processorAddCommand } from './processor-add.js';
import { processorDisableCommand } from './processor-disable.js';
import { processorEnableCommand } from './processor-enable.js';
import { processorRemoveCommand } from './processor-remove.js';
import { processorRetryCommand } from './processor-retry.js';
import { processorRunCommand } from './processor-run.js';
import { processorSetCommand } from './processor-set.js';
import { processorStatusCommand } from './processor-status.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { syncCommand } from './sync.js';
import { upCommand } from './up.js';

/** In the order of the help. */
export const commands: readonly Command[] = [
  setupCommand,
  upCommand,
  downCommand,
  statusCommand,
  syncCommand,
  processorStatusCommand,
  processorSetCommand,
  processorEnableCommand,
  processorDisableCommand,
  processorAddCommand,
  processorRemoveCommand,
  processorRunCommand,
  processorRetryCommand,
  configCommand,
  doctorCommand,
];

/** What the first word of a command of two words stands for. */
export const groups = {
  processor: 'Show, change or run the processors of the queue, retry what failed',
} as const;
