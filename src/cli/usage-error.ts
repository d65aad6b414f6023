import type { CommandName } from './json-shape.js';

interface UsageErrorDetails {
  /** The command whose usage was wrong, as far as one was named. */
  readonly command?: CommandName | undefined;
  /** The help that lists what is missing. */
  readonly help?: string | undefined;
}

/** The command line is wrong; nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly remedy: string;
  readonly command: CommandName | undefined;
  readonly help: string | undefined;

  constructor(message: string, remedy: string, { command, help }: UsageErrorDetails = {}) {
    super(message);
    this.remedy = remedy;
    this.command = command;
    this.help = help;
  }
}
