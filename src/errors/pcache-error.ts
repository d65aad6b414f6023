import { EXIT_CODES, type ExitCode } from './exit-codes.js';

export interface PcacheErrorDetails {
  /** What to do about it. The message does not repeat this. */
  readonly remedy?: string | undefined;
  /** Defaults to the exit code of the cause. */
  readonly exitCode?: ExitCode | undefined;
  readonly cause?: unknown;
}

/** An error for the users of this package: what is wrong, what to do, and the exit code of the process. */
export abstract class PcacheError extends Error {
  abstract override readonly name: string;
  readonly remedy: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, { remedy, exitCode, cause }: PcacheErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
    this.exitCode = exitCode ?? exitCodeOf(cause);
  }
}

/** The error's own exit code, or that of its cause. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof PcacheError) return error.exitCode;
  return error instanceof Error && error.cause !== undefined
    ? exitCodeOf(error.cause)
    : EXIT_CODES.failed;
}
