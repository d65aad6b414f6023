import { parseArgs } from 'node:util';
import { failureReport, failureText } from '../../src/cli/failure.js';
import { safeFor, styleOf } from '../../src/cli/output/style.js';
import { EXIT_CODES, type ExitCode } from '../../src/errors/exit-codes.js';
import { createOutput } from './output.js';
import { quickstart } from './quickstart.js';

const usage = `Usage: npm run quickstart [-- --keep]

Shows pcache-migrate at work on a throwaway PostgreSQL with pg_cron: deploys, queues fragments,
waits until pg_cron's jobs have filled the cache, checks it, and removes the server again.
Touches no other server and reads neither DB_* variables nor a .env.

  --keep  leave the server running and print how to connect to it

Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
`;

/** Returns the exit code. */
export async function main(args: string[]): Promise<ExitCode> {
  const options = parseOptions(args);
  if (options === undefined) {
    process.stderr.write(usage);
    return EXIT_CODES.usage;
  }
  if (options.help) {
    process.stdout.write(usage);
    return EXIT_CODES.done;
  }
  const interruption = watchForInterruption();
  try {
    await quickstart({
      keep: options.keep,
      env: process.env,
      output: createOutput(
        process.stdout,
        styleOf(process.stdout, process.env, false),
        interruption,
      ),
      interruption,
    });
    return EXIT_CODES.done;
  } catch (error) {
    if (interruption.aborted) return EXIT_CODES.interrupted;
    const style = styleOf(process.stderr, process.env, false);
    process.stderr.write(`\n${safeFor(style, failureText(failureReport(error), style))}\n`);
    return EXIT_CODES.failed;
  }
}

function parseOptions(args: string[]): { keep: boolean; help: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch {
    return undefined;
  }
}

// npm sends its child the signal that the terminal has already sent it: a repeated signal must not
// end the process before the server is removed.
function watchForInterruption(): AbortSignal {
  const interruption = new AbortController();
  const interrupt = (reason: string) => {
    if (interruption.signal.aborted) return;
    interruption.abort();
    process.stderr.write(`\n${reason}: removing the throwaway server.\n`);
  };
  process.on('SIGINT', () => interrupt('Interrupted'));
  process.on('SIGTERM', () => interrupt('Terminated'));
  // Whoever no longer reads the output would not learn how to stop a server that is kept.
  process.stdout.on('error', () => interrupt('Nobody reads the output any more'));
  process.stderr.on('error', () => {});
  return interruption.signal;
}
