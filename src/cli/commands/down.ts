import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import type { StreamName } from '../../migrations/streams.js';
import type { TableAtStake } from '../../operations/data-at-stake.js';
import { type DownReport, down, type RollbackPreview } from '../../operations/down.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import {
  drainTimeout,
  dropData,
  dryRun,
  stream,
  verbose,
  waitLock,
  wholeNumber,
} from '../options.js';
import { jobActions } from '../output/jobs.js';
import { rolledBackText } from '../output/migrations.js';
import { type Style, safeFor } from '../output/style.js';
import { table } from '../output/table.js';
import { counted, indented, listed, paragraphs } from '../output/text.js';
import { extentOf, showPlan } from '../show-plan.js';
import { UsageError } from '../usage-error.js';

const BOTH: readonly StreamName[] = ['cron', 'work'];

export const downCommand = defineCommand({
  name: 'down',
  details:
    'Runs what was recorded when the migrations were applied, cron first, then work. ' +
    'Nothing is processed meanwhile: runs that are at work may end, up to --drain-timeout, and are then cancelled; what is enabled goes on afterwards. ' +
    'Tables that hold rows are not dropped but kept aside, and the next up takes them back. ' +
    'Asks with --drop-data, if rows would be lost, and when this package does not have what it rolls back; where it cannot ask, --yes is needed. Tables of yours are never touched. ' +
    'Without the pg_cron database it rolls back what is of the work database alone.',
  examples: [
    ['down', 'The last release, in both databases'],
    ['down --to 3', 'Back to how release 3 left it; history lists the releases'],
    ['down --to 0.1.0', 'Back to how the last release of this version left it'],
    ['down --stream work --to <migration>', 'Until this migration is the last applied'],
    ['down --dry-run', 'Only show the plan'],
    ['down --all', 'Everything; what holds rows is kept aside'],
    ['down --all --drop-data --yes', 'Everything, rows included, without asking'],
  ],
  positionals: {},
  options: {
    ...stream,
    to: {
      type: 'string',
      requiresArg: true,
      describe: 'Go back to this release, version or migration',
    },
    count: {
      type: 'string',
      requiresArg: true,
      describe: 'Roll back so many migrations, whatever their release',
      coerce: wholeNumber('count', { from: 1 }),
    },
    all: {
      type: 'boolean',
      describe: 'Roll back all of them and remove what is left of this package',
    },
    ...dropData,
    ...dryRun,
    yes: {
      type: 'boolean',
      describe: 'Do not ask',
    },
    ...verbose,
    ...drainTimeout,
    ...waitLock,
  },
  check: ({ to, count, all, stream }) => {
    const given = [to !== undefined && '--to', count !== undefined && '--count', all && '--all'];
    const extents = given.filter(Boolean);
    if (extents.length > 1) {
      return `${extents.join(' and ')} exclude each other: say in one way how far to roll back.`;
    }
    return to !== undefined && stream === undefined && 'to' in extentOf({ to })
      ? '--to names a migration of one stream: add --stream work or --stream cron.'
      : undefined;
  },
  run: async (args, context) => {
    if (args['dry-run']) return showPlan({ ...args, down: true }, context);
    const settings = context.settings();
    const report = await down(settings, {
      streams: args.stream === undefined ? BOTH : [args.stream],
      extent: extentOf(args),
      dropData: args['drop-data'],
      confirm: async (preview) => args.yes === true || confirmLoss(preview, context),
      drainSeconds: args['drain-timeout'],
      onDrain: context.onDrain,
      ...context.lockWait(args['wait-lock']),
      log: context.log,
      onProgress: context.onProgress,
    });
    return {
      exitCode: report.confirmed ? EXIT_CODES.done : EXIT_CODES.failed,
      report,
      text: (style) => downText(settings, report, style, args.verbose),
    };
  },
});

async function confirmLoss(preview: RollbackPreview, context: Context): Promise<boolean> {
  const { world, stderrStyle } = context;
  const holding = preview.lost.filter(({ rows }) => rows > 0);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    const tables = holding.map(({ table, rows }) => `${table} (${counted(rows, 'row')})`);
    throw new UsageError(
      [
        ...preview.differences,
        tables.length > 0 && `Tables that hold rows would be dropped: ${tables.join(', ')}.`,
        'Nothing was changed.',
      ]
        .filter(Boolean)
        .join('\n'),
      tables.length > 0
        ? 'If they may go, pass --yes; to keep them, leave out --drop-data.'
        : 'To roll back what is recorded all the same, pass --yes.',
    );
  }
  const count = preview.steps.reduce((sum, { migrations }) => sum + migrations.length, 0);
  const question = paragraphs(
    preview.differences.length > 0 &&
      `What is applied differs from this package. The rollback runs what was recorded when it was applied:\n${indented(preview.differences.join('\n'))}`,
    holding.length === 0
      ? `This rolls back ${counted(count, 'migration')}.`
      : `${count === 0 ? 'This' : `Rolling back ${counted(count, 'migration')}`} drops tables that hold rows:`,
    holding.length > 0 &&
      indented(
        table(
          stderrStyle,
          ['table', 'rows'],
          holding.map((lost) => [lost.table, lost.rows]),
        ),
      ),
    'Go on?',
  );
  return confirmed(world, safeFor(stderrStyle, question));
}

function downText(settings: Settings, report: DownReport, style: Style, verbose: boolean): string {
  const { confirmed, left, undone, streams, lost, kept, notOurs, jobs } = report;
  if (!confirmed) return 'Nothing was changed.';
  if (streams.length === 0 && lost.length === 0) {
    const where = report.cronUnreachable === undefined ? '' : ' in the work database';
    return paragraphs(
      left === 0
        ? `Nothing to do: no migration is applied${where}.`
        : `Nothing to do: nothing is applied beyond that${where}.`,
      cronUnreachableText(report),
    );
  }
  const rows = (tables: readonly TableAtStake[]) =>
    indented(
      table(
        style,
        ['table', 'rows'],
        tables.map((one) => [one.table, one.rows]),
      ),
    );
  return paragraphs(
    ...streams.map((change) => rolledBackText(change, verbose)),
    lost.length > 0 && `Dropped, with all their rows:\n${rows(lost)}`,
    report.keptTables.length > 0 &&
      `Kept aside in schema "${report.keptSchema}", with all their rows, until the next up takes them back:\n${rows(report.keptTables)}`,
    listed('Kept:', kept),
    listed(
      `Left alone in schema "${settings.clientSchema}", since not ours:`,
      notOurs.map(({ table: name, reason }) => `${shown(name)}: ${reason}`),
    ),
    jobActions(settings, jobs),
    cronUnreachableText(report),
    undone.length > 0 &&
      `Undone: ${undone.length === 1 ? 'release' : 'releases'} ${undone.join(', ')}.`,
  );
}

function cronUnreachableText({ cronUnreachable, standIns }: DownReport): string {
  if (cronUnreachable === undefined) return '';
  const unreached = `The pg_cron database could not be reached, and its jobs are as they were: ${shown(cronUnreachable)}.`;
  return standIns.length === 0
    ? unreached
    : `${unreached}\nThey now call stand-ins that do nothing (${standIns.join(', ')}). Deploy again with up, or, once pg_cron can be reached, take jobs and stand-ins away with down --all.`;
}
