import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { CommandName } from './json-shape.js';

interface UsageErrorDetails {
  /** The command whose usage was wrong, if one was named. */
  readonly command?: CommandName | undefined;
  /** The help that lists what is missing. */
  readonly help?: string | undefined;
}

/** The command line is wrong; nothing was done. */
export class UsageError extends PcacheError {
  override readonly name = 'UsageError';
  readonly command: CommandName | undefined;
  readonly help: string | undefined;

  constructor(message: string, remedy: string, { command, help }: UsageErrorDetails = {}) {
    super(message, { remedy, exitCode: EXIT_CODES.usage });
    this.command = command;
    this.help = help;
  }
}
