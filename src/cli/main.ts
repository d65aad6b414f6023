#!/usr/bin/env node
import { EXIT_CODES } from '../errors/exit-codes.js';
import { shown } from '../errors/shown.js';

const interruption = new AbortController();

// Ctrl-C, an orchestrator, the end of the terminal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT_CODES.interrupted);
    interruption.abort(signal);
  });
}

// Loaded after that, as it takes longer than anything else before the first connection.
const { runCli } = await import('./run-cli.js');

// The reader has gone away (`| head`); the command still finishes what it began.
const outputFailed = (error?: NodeJS.ErrnoException | null) => {
  if (!error || error.code === 'EPIPE') return;
  console.error(`Error: the output could not be written: ${shown(error.message)}`);
  process.exit(EXIT_CODES.failed);
};
process.stdout.on('error', outputFailed);
process.stderr.on('error', () => {});

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  interrupted: interruption.signal,
});

// Not left to the event loop: a connection attempt that timed out would keep it alive, and after a
// signal the connections still open are to be closed. The empty write is done when all before it is.
process.stdout.write('', (error) => {
  outputFailed(error);
  process.exit(exitCode);
});
