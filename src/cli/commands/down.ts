import { EXIT_CODES } from '../../errors/exit-codes.js';
import type { DownExtent } from '../../migrations/select-migrations.js';
import type { StreamName } from '../../migrations/streams.js';
import { type DownReport, down, type RollbackPreview } from '../../operations/down.js';
import { type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { stream, verbose, waitLock, wholeNumber } from '../options.js';
import { rolledBackText } from '../output/migrations.js';
import { type Style, safeFor } from '../output/style.js';
import { table } from '../output/table.js';
import { counted, indented, paragraphs } from '../output/text.js';
import { UsageError } from '../usage-error.js';

const BOTH: readonly StreamName[] = ['cron', 'work'];
const DRAIN_SECONDS = 60;

export const downCommand = defineCommand({
  name: 'down',
  summary: 'Roll migrations back, cron first, then work',
  details:
    `Disables the processors and waits up to ${DRAIN_SECONDS} s for their runs to end before it takes anything of the work stream back. ` +
    'Asks before it drops tables that hold rows; where it cannot ask, --yes is needed. Tables of yours are never touched.',
  examples: [
    ['down', 'The last migration (of cron, as long as cron is deployed)'],
    ['down --stream work --to <migration>', 'Until this one is the last applied'],
    ['down --all --yes', 'Everything, rows included, without asking'],
  ],
  positionals: {},
  options: {
    ...stream,
    to: {
      type: 'string',
      requiresArg: true,
      describe: 'Roll back until this migration is the last applied',
    },
    count: {
      type: 'string',
      requiresArg: true,
      describe: 'Roll back so many migrations (default: 1)',
      coerce: wholeNumber('count', { from: 1 }),
    },
    all: {
      type: 'boolean',
      describe: 'Roll back all of them and remove what is left of this package',
    },
    yes: {
      type: 'boolean',
      describe: 'Do not ask before tables that hold rows are dropped',
    },
    ...verbose,
    ...waitLock,
  },
  check: ({ to, count, all }) => {
    const given = [to !== undefined && '--to', count !== undefined && '--count', all && '--all'];
    const extents = given.filter(Boolean);
    return extents.length > 1
      ? `${extents.join(' and ')} exclude each other: say in one way how far to roll back.`
      : undefined;
  },
  run: async (args, context) => {
    const settings = context.settings();
    const report = await down(settings, {
      streams: args.stream === undefined ? BOTH : [args.stream],
      extent: extentOf(args),
      confirm: async (preview) => args.yes === true || confirmLoss(preview, context),
      drainSeconds: DRAIN_SECONDS,
      ...context.lockWait(args['wait-lock']),
      log: context.log,
      onProgress: context.onProgress,
    });
    return {
      exitCode: report.confirmed ? EXIT_CODES.done : EXIT_CODES.failed,
      report,
      text: (style) => downText(report, style, args.verbose),
    };
  },
});

function extentOf(args: {
  to?: string | undefined;
  count?: number | undefined;
  all?: boolean | undefined;
}): DownExtent {
  if (args.all) return { all: true };
  return args.to === undefined ? { count: args.count ?? 1 } : { to: args.to };
}

async function confirmLoss(
  { steps, lost }: RollbackPreview,
  { world, stderrStyle }: Context,
): Promise<boolean> {
  const holding = lost.filter(({ rows }) => rows > 0);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    const tables = holding.map(({ table, rows }) => `${table} (${counted(rows, 'row')})`);
    throw new UsageError(
      `Tables that hold rows would be dropped: ${tables.join(', ')}. Nothing was changed.`,
      'If they may go, pass --yes.',
    );
  }
  const count = steps.reduce((sum, { migrations }) => sum + migrations.length, 0);
  return confirmed(
    world,
    safeFor(
      stderrStyle,
      paragraphs(
        `Rolling back ${counted(count, 'migration')} drops tables that hold rows:`,
        indented(
          table(
            stderrStyle,
            ['table', 'rows'],
            holding.map((lost) => [lost.table, lost.rows]),
          ),
        ),
        'Go on?',
      ),
    ),
  );
}

function downText(
  { confirmed, streams, lost, kept }: DownReport,
  style: Style,
  verbose: boolean,
): string {
  if (!confirmed) return 'Nothing was changed.';
  if (streams.length === 0) return 'Nothing to do: no migration is applied.';
  return paragraphs(
    ...streams.map((change) => rolledBackText(change, verbose)),
    lost.length > 0
      ? `Dropped, with all their rows:\n${indented(
          table(
            style,
            ['table', 'rows'],
            lost.map(({ table, rows }) => [table, rows]),
          ),
        )}`
      : '',
    kept.length > 0 ? `Kept:\n${kept.map((what) => `  ${what}`).join('\n')}` : '',
  );
}
