import { RoutineSourceError } from './routine.js';

/** The exit code of a command; a source that cannot be read is a message to its author, not a crash. */
export async function reportingSourceErrors(command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof RoutineSourceError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
