import { cronMoving, cronMovingRemedy } from '../../deployment/cron-move.js';
import { describeWhereabouts } from '../../deployment/describe-whereabouts.js';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { adopt } from '../../operations/adopt.js';
import type { AdoptPreview, AdoptReport } from '../../operations/adopt-report.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { dryRun, waitLock, yes } from '../options.js';
import { handText, tablesText, toolText } from '../output/adoption.js';
import { jobActions } from '../output/jobs.js';
import { type Style, safeFor } from '../output/style.js';
import { counted, indented, paragraphs } from '../output/text.js';
import { UsageError } from '../usage-error.js';

export const adoptCommand = defineCommand({
  name: 'adopt',
  details:
    'Shows first what it will do, and asks. Gives the database its names, grants and owners back, and its jobs in the pg_cron database of the settings; queue, cache, log and configuration stay. ' +
    'Jobs of the old name are removed when the old database is gone, and never touched while it is there. ' +
    "A set-up that PartitionCache's own tool made becomes a deployment with all its rows; its jobs end, and its configuration in the pg_cron database goes. " +
    'After an interruption, the same command goes on.',
  examples: [
    ['adopt --dry-run', 'What was found, and what would be done'],
    ['adopt', 'Do it, after asking'],
    ['adopt --yes --json | jq .steps', 'For a script that refreshes a copy'],
  ],
  positionals: {},
  options: { ...dryRun, ...yes, ...waitLock },
  run: async (args, context) => {
    const settings = context.settings();
    const report = await adopt(settings, {
      dryRun: args['dry-run'],
      confirm: async (preview) => args.yes === true || confirmAdoption(preview, settings, context),
      ...context.lockWait(args['wait-lock']),
      log: context.log,
    });
    return {
      exitCode: exitCodeOf(report),
      report,
      text: (style) => adoptText(report, settings, context, style),
    };
  },
});

function exitCodeOf({ dryRun, confirmed, steps, refused, tool }: AdoptReport) {
  if (!confirmed || refused.length > 0 || (tool?.problems.length ?? 0) > 0)
    return EXIT_CODES.failed;
  return dryRun && steps.length > 0 ? EXIT_CODES.pending : EXIT_CODES.done;
}

async function confirmAdoption(
  preview: AdoptPreview,
  settings: Settings,
  context: Context,
): Promise<boolean> {
  const { world, stderrStyle } = context;
  const plan = planText(preview, settings, context);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new UsageError(`${plan}\nNothing was changed.`, 'If that is right, pass --yes.');
  }
  return confirmed(world, safeFor(stderrStyle, paragraphs(plan, 'Go on?')));
}

function planText(preview: AdoptPreview, settings: Settings, context: Context): string {
  return paragraphs(
    shown(describeWhereabouts(preview.found, settings)),
    `To be done:\n${stepLines(preview)}`,
    leftText(preview),
    unreadableText(preview, settings, context),
    moveText(preview, settings),
    toolText(preview),
  );
}

function stepLines({ steps }: AdoptPreview): string {
  return steps
    .map(({ database, what }) => `  in database "${shown(database)}": ${shown(what)}`)
    .join('\n');
}

/** What is to be done then, since it keeps anything from being processed. */
function moveText({ cronMove }: AdoptPreview, settings: Settings): string {
  return cronMove === undefined
    ? ''
    : `${cronMoving(settings, cronMove)}\n${cronMovingRemedy(settings, cronMove)}`;
}

/** What keeps processing paused, and what ends that. */
function unreadableText(
  { unreadable }: AdoptPreview,
  { work }: Settings,
  { invocation }: Context,
): string {
  return unreadable === undefined
    ? ''
    : `Processing stays paused, since role "${shown(unreadable.role)}" may not read all tables. What your fragments read of these, the owner of the tables grants in database "${work.database}":\n` +
        `${unreadable.lines.map((line) => `  ${line}`).join('\n')}\nThen: ${invocation('resume')}`;
}

function leftText({ left }: AdoptPreview): string {
  return left.length === 0
    ? ''
    : `Left alone, or not kept:\n${left.map((what) => `  ${shown(what)}`).join('\n')}`;
}

function adoptText(
  report: AdoptReport,
  settings: Settings,
  context: Context,
  style: Style,
): string {
  const { invocation } = context;
  if (report.steps.length === 0) {
    return report.found.kind === 'not deployed'
      ? `Nothing to do: nothing is deployed in schema "${settings.schema}" of database "${settings.work.database}".`
      : paragraphs(
          shown(describeWhereabouts(report.found, settings)),
          `Nothing to do: database "${settings.work.database}" is the one that was deployed.`,
        );
  }
  if (!report.confirmed) return 'Nothing was changed.';
  if (report.dryRun) return planText(report, settings, context);
  const { restored, refused, removed } = report;
  return paragraphs(
    shown(describeWhereabouts(report.found, settings)),
    `Done:\n${stepLines(report)}`,
    leftText(report),
    tablesText(report.tables),
    removed.length > 0 &&
      removed
        .map(
          ({ schema, workDatabase, jobs, runs }) =>
            `Removed schema "${schema}", ${counted(jobs.length, 'job')} and ${counted(runs, 'run')} of database "${workDatabase}".`,
        )
        .map(shown)
        .join('\n'),
    restored.length > 0 &&
      `Restored ${counted(restored.length, 'definition, owner or grant', 'definitions, owners and grants')}.`,
    refused.length > 0 &&
      `${style.bad('Not restored:')}\n${refused
        .map(({ object, reason }) => `  ${shown(object)}\n${indented(reason, '    ')}`)
        .join('\n')}`,
    jobActions(settings, report.jobs),
    report.release !== undefined && `This is release ${report.release}.`,
    handText(report),
    unreadableText(report, settings, context),
    moveText(report, settings) || `See whether all is well: ${invocation('verify')}`,
  );
}
