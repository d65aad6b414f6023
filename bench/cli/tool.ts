/** A command line that is measured. */
export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One row of the table. */
export interface Measured {
  readonly title: string;
  /** The reason why there is nothing to measure, in place of what to run. */
  readonly run: Invocation | string;
}
