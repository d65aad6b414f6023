import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import type { StreamName } from '../../migrations/streams.js';
import { up } from '../../operations/up.js';
import type { UpReport } from '../../operations/up-report.js';
import { keptSchemaName } from '../../settings/kept-schema.js';
import type { Settings } from '../../settings/settings.js';
import { approval, approvalProblem, readApproval } from '../approval.js';
import { type Context, defineCommand } from '../command.js';
import { drainTimeout, dryRun, stream, verbose, waitLock } from '../options.js';
import { stillHeldText } from '../output/holds.js';
import { jobActions } from '../output/jobs.js';
import { administratorText, appliedText } from '../output/migrations.js';
import { roomText } from '../output/room.js';
import type { Style } from '../output/style.js';
import { counted, listed, paragraphs } from '../output/text.js';
import { showPlan } from '../show-plan.js';

const BOTH: readonly StreamName[] = ['work', 'cron'];

export const upCommand = defineCommand({
  name: 'up',
  details:
    'Runs the checks of doctor first and changes nothing if one fails. Safe to run again: it goes on where it stopped.',
  examples: [
    ['up', 'Both streams, all that is pending'],
    ['up --dry-run', 'Only show the plan'],
    ['up --json --wait-lock 300', 'In a pipeline'],
    ['up --plan-file plan.json', 'Only if the plan is still the one that plan --out wrote'],
    ['up --stream work --to <migration>', 'One stream, up to a migration that status names'],
  ],
  positionals: {},
  options: {
    ...stream,
    to: {
      type: 'string',
      requiresArg: true,
      describe: 'The last migration to apply; needs --stream',
    },
    ...approval,
    ...dryRun,
    'overwrite-drift': {
      type: 'boolean',
      describe: 'Replace also what was changed by hand since it was released',
    },
    ...verbose,
    ...drainTimeout,
    ...waitLock,
  },
  check: ({ to, stream, ...args }) =>
    to !== undefined && stream === undefined
      ? '--to names a migration of one stream: add --stream work or --stream cron.'
      : approvalProblem(args),
  run: async (
    { stream, to, verbose, 'wait-lock': waitSeconds, 'drain-timeout': drainSeconds, ...args },
    context,
  ) => {
    if (args['dry-run']) return showPlan({ stream, to, verbose }, context);
    const settings = context.settings();
    const report = await up(settings, {
      streams: stream === undefined ? BOTH : [stream],
      to,
      approval: await readApproval(args, context.world.cwd),
      overwriteDrift: args['overwrite-drift'],
      ...context.lockWait(waitSeconds),
      log: context.log,
      onProgress: context.onProgress,
      drainSeconds,
      onDrain: context.onDrain,
      label: context.releaseLabel(),
    });
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) => upText(settings, report, verbose, context, style),
    };
  },
});

export function upText(
  settings: Settings,
  report: UpReport,
  verbose: boolean,
  context: Context,
  style: Style,
): string {
  const { administrator, release, newerPackage, streams, fragmentRole, jobs, linkRenewed } = report;
  return paragraphs(
    administratorText(administrator),
    newerPackage !== null &&
      `These databases were migrated by pcache-migrate ${shown(newerPackage)}, which is newer than this one.`,
    ...streams.map((change) => appliedText(change, verbose)),
    takenBackText(report),
    stillKeptText(settings, report),
    fragmentRole === null
      ? ''
      : `From now on, fragments have the rights of role "${fragmentRole}", and no others.`,
    linkRenewed ? 'Renewed the link from the work database to pg_cron, and tried it.' : '',
    jobActions(settings, jobs),
    release !== null && `This is release ${release}.`,
    changedText(report, context, style),
    roomText(report.room, style),
    stillHeldText(report.holds, settings, context, style),
  );
}

function changedText({ changed }: UpReport, { invocation }: Context, style: Style): string {
  return changed
    .map((database) =>
      style.warning(
        `In database "${database}", something is gone or was changed by hand, which up does not mend: ${invocation('verify')} says what.`,
      ),
    )
    .join('\n');
}

function takenBackText({ takenBack }: UpReport): string {
  return listed(
    'Taken back, with the rows that down had kept:',
    takenBack.map(({ table, rows }) => `${shown(table)} (${counted(rows, 'row')})`),
  );
}

function stillKeptText(settings: Settings, { stillKept }: UpReport): string {
  return listed(
    `Still kept in schema "${keptSchemaName(settings.schema)}", and not taken back:`,
    stillKept.map(
      ({ table, rows, since, reason }) =>
        `${shown(table)} (${counted(rows, 'row')}, since ${since.toISOString()}): ${shown(reason)}`,
    ),
  );
}
