import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import {
  changeMode,
  type ModeReport,
  type MovePreview,
} from '../../operations/mode/change-mode.js';
import type { Settings } from '../../settings/settings.js';
import { type Command, type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { drainTimeout, waitLock } from '../options.js';
import { againText, previewText, stopText } from '../output/cron-move.js';
import { heldText } from '../output/holds.js';
import { jobActions } from '../output/jobs.js';
import { roomText } from '../output/room.js';
import { type Style, safeFor } from '../output/style.js';
import { paragraphs } from '../output/text.js';
import { UsageError } from '../usage-error.js';

export const modeSingleCommand = modeCommand('single');
export const modeCrossCommand = modeCommand('cross');

function modeCommand(mode: 'single' | 'cross'): Command {
  return defineCommand({
    name: `mode ${mode}`,
    details:
      'First say in .env where they shall be (PG_CRON_DATABASE, PCACHE_CRON_TRANSPORT); where they are is recorded in the work database. ' +
      'Processing is held from the first change to the last; queue, cache, configuration and log stay as they are. ' +
      'It stops where the server has to be restarted, or an administrator is needed, and prints what to type; then give it again: it goes on from wherever it stopped. ' +
      'It asks before the jobs leave a database, and lists the jobs of others that the restart would stop; where it cannot ask, --yes is needed. ' +
      `Exit code ${EXIT_CODES.pending}: something has to be done by hand, or verify would find something.`,
    examples: [
      [`mode ${mode}`, 'As far as it can go; given again, further'],
      [`mode ${mode} --yes`, 'Without asking'],
    ],
    positionals: {},
    options: {
      yes: { type: 'boolean', describe: 'Do not ask' },
      ...drainTimeout,
      ...waitLock,
    },
    run: async (args, context) => {
      const settings = context.settings();
      const report = await changeMode(settings, {
        mode,
        confirm: async (preview) => args.yes === true || confirmMove(preview, context),
        drainSeconds: args['drain-timeout'],
        onDrain: context.onDrain,
        ...context.lockWait(args['wait-lock']),
        label: context.releaseLabel(),
        log: context.log,
        onProgress: context.onProgress,
      });
      return {
        exitCode: exitCodeOf(report),
        report,
        text: (style) => modeText(settings, report, context, style),
      };
    },
  });
}

function exitCodeOf({ confirmed, finished, verification }: ModeReport): ExitCode {
  if (!confirmed) return EXIT_CODES.failed;
  return finished && verification?.isClean ? EXIT_CODES.done : EXIT_CODES.pending;
}

async function confirmMove(
  preview: MovePreview,
  { world, stderrStyle }: Context,
): Promise<boolean> {
  const text = previewText(preview, stderrStyle);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new UsageError(`${text}\n\nNothing was changed.`, 'If that is right, pass --yes.');
  }
  return confirmed(world, safeFor(stderrStyle, paragraphs(text, 'Go on?')));
}

function modeText(settings: Settings, report: ModeReport, context: Context, style: Style): string {
  const { confirmed, finished, done, stop, left, jobs, room, holds } = report;
  if (!confirmed) return 'Nothing was changed.';
  return paragraphs(
    done.map((what) => `Done: ${shown(what)}.`).join('\n'),
    jobActions(settings, jobs),
    roomText(room, style),
    finished && againText(report, style),
    left
      .map(({ what, database, reason, lines }) =>
        style.warning(
          [
            `Left in database "${database}": ${what}, since ${reason}.${lines.length > 0 ? ' Once nobody needs it, as an administrator, there:' : ''}`,
            ...lines.map((line) => `  ${line}`),
          ].join('\n'),
        ),
      )
      .join('\n'),
    stop !== null && stopText(report, stop, context, style),
    heldText(holds, context, style),
    finished && conclusion(settings, report, context, style),
  );
}

function conclusion(
  { mode, transport, cron, work }: Settings,
  { done, verification }: ModeReport,
  { invocation }: Context,
  style: Style,
): string {
  const where =
    mode === 'single'
      ? `single mode, pg_cron in the work database "${work.database}"`
      : `cross mode, transport ${transport}, pg_cron in database "${cron.database}"`;
  const head = `${done.length === 0 ? 'Nothing to do' : 'Finished'}: ${where}.`;
  if (verification === null || verification.isClean) {
    return style.good(`${head} Jobs, link and definitions are as they should be.`);
  }
  return style.warning(
    [
      head,
      'Not all is as it should be:',
      ...verification.problems.map((problem) => `  ${problem}`),
      `See: ${invocation('verify')}, ${invocation('status')}`,
    ].join('\n'),
  );
}
