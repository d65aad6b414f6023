import type { Command } from '../command.js';
import { adoptCommand } from './adopt.js';
import { configCommand } from './config.js';
import { doctorCommand } from './doctor.js';
import { downCommand } from './down.js';
import { exportCommand } from './export.js';
import { historyCommand } from './history.js';
import { importCommand } from './import.js';
import { modeCommands } from './mode.js';
import { pauseCommand } from './pause.js';
import { planCommand } from './plan.js';
import { processorAddCommand } from './processor-add.js';
import { processorDisableCommand } from './processor-disable.js';
import { processorEnableCommand } from './processor-enable.js';
import { processorRemoveCommand } from './processor-remove.js';
import { processorRetryCommand } from './processor-retry.js';
import { processorRunCommand } from './processor-run.js';
import { processorSetCommand } from './processor-set.js';
import { processorStatusCommand } from './processor-status.js';
import { pruneCommand } from './prune.js';
import { resumeCommand } from './resume.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { syncCommand } from './sync.js';
import { upCommand } from './up.js';
import { verifyCommand } from './verify.js';

/** In the order of the help. */
export const commands: readonly Command[] = [
  setupCommand,
  planCommand,
  upCommand,
  downCommand,
  statusCommand,
  historyCommand,
  pauseCommand,
  resumeCommand,
  syncCommand,
  ...modeCommands,
  verifyCommand,
  adoptCommand,
  pruneCommand,
  processorStatusCommand,
  processorSetCommand,
  processorEnableCommand,
  processorDisableCommand,
  processorAddCommand,
  processorRemoveCommand,
  processorRunCommand,
  processorRetryCommand,
  exportCommand,
  importCommand,
  configCommand,
  doctorCommand,
];

/** What the first word of a command of two words stands for. */
export const groups = {
  mode: 'Take the jobs to the pg_cron that the settings name, on a live system',
  processor: 'Show, change or run the processors of the queue, retry what failed',
} as const;
