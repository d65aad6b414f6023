import { EXIT_CODES, type ExitCode } from './exit-codes.js';

export interface PcacheErrorDetails {
  /** What to do about it; the message does not say it as well. */
  readonly remedy?: string | undefined;
  /** Without it, that of the cause. */
  readonly exitCode?: ExitCode | undefined;
  readonly cause?: unknown;
}

/** What this package raises for its users: it says what is wrong, what to do, and how the process ends. */
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

/** The error's own exit code, or that of what caused it. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof PcacheError) return error.exitCode;
  return error instanceof Error && error.cause !== undefined
    ? exitCodeOf(error.cause)
    : EXIT_CODES.failed;
}
