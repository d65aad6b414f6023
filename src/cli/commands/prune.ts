import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import type { LeftBehind, Survey } from '../../operations/left-behind.js';
import { type PruneReport, prune } from '../../operations/prune.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { dryRun, waitLock, yes } from '../options.js';
import { safeFor } from '../output/style.js';
import { counted, paragraphs } from '../output/text.js';
import { UsageError } from '../usage-error.js';

export const pruneCommand = defineCommand({
  name: 'prune',
  details:
    "Jobs, their run history and schemas of this package, where they are the cron role's own and the database is gone. " +
    'Shows them first, and asks. Of other roles it sees the schemas alone, and leaves them. The work database of the settings need not exist.',
  examples: [
    ['prune --dry-run', 'What is left behind'],
    ['prune', 'Remove it, after asking'],
  ],
  positionals: {},
  options: { ...dryRun, ...yes, ...waitLock },
  run: async (args, context) => {
    const settings = context.settings();
    const report = await prune(settings, {
      dryRun: args['dry-run'],
      confirm: async (survey) => args.yes === true || confirmPrune(survey, settings, context),
      ...context.lockWait(args['wait-lock']),
      log: context.log,
    });
    return { exitCode: exitCodeOf(report), report, text: () => pruneText(report, settings) };
  },
});

function exitCodeOf({ dryRun, confirmed, dropped }: PruneReport) {
  if (!confirmed) return EXIT_CODES.failed;
  return dryRun && dropped.length > 0 ? EXIT_CODES.pending : EXIT_CODES.done;
}

async function confirmPrune(
  survey: Survey,
  settings: Settings,
  { world, stderrStyle }: Context,
): Promise<boolean> {
  const found = foundText(survey, settings);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new UsageError(`${found}\nNothing was changed.`, 'If all of that may go, pass --yes.');
  }
  return confirmed(world, safeFor(stderrStyle, paragraphs(found, 'Remove it?')));
}

function pruneText(report: PruneReport, settings: Settings): string {
  if (!report.confirmed) return 'Nothing was changed.';
  if (report.dropped.length === 0) {
    return paragraphs(
      `Nothing to do: no dropped work database has left anything in database "${settings.cron.database}" that role "${settings.cron.user}" sees.`,
      remarks(report),
    );
  }
  if (report.dryRun) return paragraphs(foundText(report, settings), remarks(report));
  return paragraphs(
    `Removed from database "${settings.cron.database}":\n${lines(report.dropped)}`,
    remarks(report),
  );
}

function foundText({ dropped }: Survey, { cron }: Settings): string {
  return `Left behind in database "${cron.database}" by work databases that are gone:\n${lines(dropped)}`;
}

function lines(dropped: readonly LeftBehind[]): string {
  return dropped
    .map(({ workDatabase, schemas, jobs, runs }) => {
      const names = schemas.map(({ schema }) => `schema "${schema}", `).join('');
      return `  ${shown(`of "${workDatabase}": ${names}${counted(jobs.length, 'job')}, ${counted(runs, 'run')} in the history`)}`;
    })
    .join('\n');
}

function remarks({ renamed, unseen }: Survey): string {
  return [
    ...renamed.map(
      ({ workDatabase, nameNow }) =>
        `Database "${workDatabase}" is called "${nameNow}" now: its jobs are for pcache-migrate adopt, with DB_NAME=${nameNow}.`,
    ),
    ...(unseen.length === 0
      ? []
      : [
          `Unknown, since other roles own them: ${unseen.map((name) => `schema "${name}"`).join(', ')}.`,
        ]),
  ]
    .map(shown)
    .join('\n');
}
