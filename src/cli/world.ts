import type { Readable } from 'node:stream';

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface InputStream extends Readable {
  readonly isTTY?: boolean | undefined;
}

/** Everything outside the databases that the command line touches. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly now: () => Date;
  /** Aborted by Ctrl-C and what is like it; the reason is the name of the signal. */
  readonly interrupted: AbortSignal;
}
