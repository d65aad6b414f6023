#!/usr/bin/env node
import { EXIT_CODES } from '../errors/exit-codes.js';
import { shown } from '../errors/shown.js';
import { runCli } from './run-cli.js';

const interruption = new AbortController();

process.on('SIGINT', () => {
  if (interruption.signal.aborted) process.exit(EXIT_CODES.interrupted);
  interruption.abort();
});

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

// Not left to the event loop: a connection attempt that timed out would keep it alive, and after Ctrl-C
// the connections still open are to be closed. The empty write is done when all before it is.
process.stdout.write('', (error) => {
  outputFailed(error);
  process.exit(exitCode);
});
