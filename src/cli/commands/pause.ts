import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { runText } from '../../operations/drain-runs.js';
import { type PauseReport, pause } from '../../operations/pause.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { wholeNumber } from '../options.js';
import { alienText } from '../output/alien-work.js';
import { holdsText } from '../output/holds.js';
import type { Style } from '../output/style.js';
import { counted, indented, paragraphs } from '../output/text.js';

const WAIT_SECONDS = 10;

export const pauseCommand = defineCommand({
  name: 'pause',
  details:
    'Needs the work database alone, deployed by any version of this package. The configuration stays as it is: resume goes on with what was enabled. Runs begin nothing more, and end within about a second, or with the fragment that they evaluate. ' +
    `Says what it does not reach. Exit code ${EXIT_CODES.pending}: paused, but something is still at work.`,
  examples: [
    ['pause --reason ticket-4711', 'Say why, for whoever asks status'],
    ['pause --now', 'Cancel what runs: those fragments go back to the queue'],
  ],
  positionals: {},
  options: {
    now: {
      type: 'boolean',
      default: false,
      describe: 'Cancel what runs, instead of letting it end',
    },
    reason: {
      type: 'string',
      requiresArg: true,
      default: 'no reason given',
      describe: 'Shown by status and to whoever runs a processor by hand',
    },
    wait: {
      type: 'string',
      requiresArg: true,
      default: String(WAIT_SECONDS),
      describe: `How many seconds to watch what runs end (default: ${WAIT_SECONDS})`,
      coerce: wholeNumber('wait', { from: 0 }),
    },
  },
  run: async ({ now, reason, wait }, context) => {
    const settings = context.settings();
    const report = await pause(settings, {
      now,
      reason,
      waitSeconds: wait,
      onWait: (runs) => context.onDrain({ waitSeconds: wait, runs, cancelled: now }),
    });
    const busy = report.stillAtWork.length > 0;
    return {
      exitCode: busy ? EXIT_CODES.pending : EXIT_CODES.done,
      report,
      text: (style) => pauseText(settings, report, context, style),
    };
  },
});

function pauseText(
  settings: Settings,
  { already, holds, uncancelled, stillAtWork, active, alien, unknown }: PauseReport,
  { invocation, world }: Context,
  style: Style,
): string {
  const database = `database "${settings.work.database}"`;
  return paragraphs(
    already
      ? `Processing of ${database} was paused already.`
      : style.good(`Processing of ${database} is paused.`),
    holdsText(holds, world.now()),
    stillAtWork.length === 0
      ? unknown.length === 0 && 'Nothing of this deployment is at work.'
      : style.warning(
          [
            `Still at work, ${counted(stillAtWork.length, 'run')}; they begin nothing more:`,
            indented(stillAtWork.map(runText).join('\n')),
            ...active.map(
              ({ pid, queryHash, seconds }) =>
                `  pid ${pid} evaluates fragment ${shown(queryHash)}, since ${Math.round(seconds)} s`,
            ),
            ...uncancelled.map(({ run, reason }) => `Could not cancel ${runText(run)}: ${reason}`),
            uncancelled.length > 0
              ? `As an administrator in ${database}: ${stillAtWork.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(' ')}`
              : `To cancel them, so that the fragments go back to the queue: ${invocation('pause --now')}`,
          ].join('\n'),
        ),
    alienText(settings, alien, style),
    unknown.map((what) => style.warning(`Unknown: ${what}`)).join('\n'),
    `To go on: ${invocation('resume')}`,
  );
}
