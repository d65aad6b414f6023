import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { PcacheError } from '../../errors/pcache-error.js';
import { shown } from '../../errors/shown.js';
import { type FleetReport, readFleet } from '../../operations/fleet.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand, type Outcome } from '../command.js';
import { wholeNumber } from '../options.js';
import { fleetText } from '../output/fleet.js';
import type { Style } from '../output/style.js';
import { UsageError } from '../usage-error.js';

export const fleetCommand = defineCommand({
  name: 'fleet',
  details: `Changes nothing. Asks the pg_cron database, and as the cron role each work database; what cannot be read is unknown, with the reason. Deployments of other cron roles can't be seen. Exit code ${EXIT_CODES.pending} if jobs have drifted, pg_cron starts none, or a database was renamed or dropped; ${EXIT_CODES.failed} if something could not be read. --watch needs a terminal, and ends with Ctrl-C (exit code ${EXIT_CODES.interrupted}).`,
  examples: [
    ['fleet', 'All of them, once'],
    ['fleet --watch 5', 'Drawn anew every 5 seconds, until Ctrl-C'],
    ["fleet --json | jq '.deployments[] | [.database, .queue.queued]'", 'Who has a backlog'],
  ],
  positionals: {},
  options: {
    watch: {
      type: 'string',
      requiresArg: true,
      describe: 'Draw it anew every so many seconds, on a terminal, until Ctrl-C',
      coerce: wholeNumber('watch', { from: 1, to: 3600 }),
    },
  },
  run: async ({ watch, ...args }, context) => {
    const settings = context.settings();
    if (watch === undefined) return outcomeOf(await readFleet(settings), context);
    requireTerminal(args, context);
    return watchFleet(settings, watch, context);
  },
});

function outcomeOf(report: FleetReport, context: Context): Outcome<FleetReport> {
  return { exitCode: exitCodeOf(report), report, text: textOf(report, context) };
}

function textOf(report: FleetReport, context: Context): (style: Style) => string {
  return (style) => fleetText(report, context, context.world.now(), style);
}

function exitCodeOf({ deployments, notStarted, leftBehind, renamed }: FleetReport): ExitCode {
  if (deployments.some(({ unknown }) => unknown.length > 0)) return EXIT_CODES.failed;
  const isInOrder =
    notStarted === undefined &&
    leftBehind.length + renamed.length === 0 &&
    deployments.every(({ drift }) => drift?.length === 0);
  return isInOrder ? EXIT_CODES.done : EXIT_CODES.pending;
}

/** Elsewhere, a document that never ends would help nobody: who reads it has a loop of his own. */
function requireTerminal(args: object, { world }: Context): void {
  const { json, 'json-lines': lines } = args as { json?: boolean; 'json-lines'?: boolean };
  if (world.stdout.isTTY && !json && !lines) return;
  throw new UsageError(
    '--watch redraws a terminal, and the output is not one.',
    'Leave --watch out, and run the command again as often as you need it.',
    { command: 'fleet' },
  );
}

async function watchFleet(
  settings: Settings,
  seconds: number,
  context: Context,
): Promise<Outcome<FleetReport>> {
  // The first look fails, or is interrupted, like any command; a later one that fails is shown until the next.
  let report = await readFleet(settings);
  const stopping = new AbortController();
  context.onInterrupt(async () => stopping.abort());
  const stopped = new Promise<undefined>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(undefined));
  });
  context.redraw(textOf(report, context));
  for (;;) {
    await sleep(seconds * 1000, undefined, stopping).catch(() => {});
    if (stopping.signal.aborted) break;
    // Not waited for after Ctrl-C, which a database that does not answer must not hold up.
    const look = await Promise.race([lookAgain(settings), stopped]);
    if (look === undefined) break;
    if (look instanceof PcacheError) {
      context.redraw((style) => style.bad(`Error: ${shown(look.message)}`));
    } else {
      report = look;
      context.redraw(textOf(report, context));
    }
  }
  // The last view stays on the terminal.
  return { exitCode: EXIT_CODES.interrupted, report, text: () => '' };
}

async function lookAgain(settings: Settings): Promise<FleetReport | PcacheError> {
  try {
    return await readFleet(settings);
  } catch (error) {
    if (error instanceof PcacheError) return error;
    throw error;
  }
}
