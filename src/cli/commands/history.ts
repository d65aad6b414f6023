import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { span } from '../../migrations/span.js';
import { readHistory } from '../../operations/history.js';
import type { Release } from '../../releases/release.js';
import { defineCommand } from '../command.js';
import { halfUndoneText } from '../output/half-undone.js';
import type { Style } from '../output/style.js';
import { table } from '../output/table.js';
import { indented, paragraphs } from '../output/text.js';
import { duration } from '../output/time.js';
import { movedText } from '../output/whereabouts.js';

export const historyCommand = defineCommand({
  name: 'history',
  details:
    'A release spans both databases. Also lists those that failed or were undone. Changes nothing, and needs the work database only.',
  examples: [
    ['history', 'The last one first'],
    ['history --json | jq .releases[0]', 'The last one, with all that is known of it'],
  ],
  positionals: {},
  options: {},
  run: async (_, context) => {
    const settings = context.settings();
    const report = await readHistory(settings);
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) =>
        paragraphs(
          historyText(report.releases, style),
          halfUndoneText(report.halfUndone, context),
          movedText(report.whereabouts, settings, context, style),
        ),
    };
  },
});

function historyText(releases: readonly Release[], style: Style): string {
  if (releases.length === 0) return 'No release: nothing is deployed.';
  return paragraphs(
    table(
      style,
      ['release', 'started', 'took', 'outcome', 'version', 'role', 'host', 'work', 'cron', 'label'],
      releases.map((release) => [
        release.number,
        release.startedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
        tookText(release),
        outcomeText(release),
        release.packageVersion,
        release.role,
        release.host,
        span(release.workMigrations) || '-',
        span(release.cronMigrations) || '-',
        release.label ?? '-',
      ]),
    ),
    ...releases.flatMap(({ number, error }) =>
      error === undefined
        ? []
        : [`Release ${number} failed:\n${indented(error.split('\n').map(shown).join('\n'))}`],
    ),
  );
}

function tookText({ startedAt, finishedAt }: Release): string {
  if (finishedAt === undefined) return '-';
  return duration((finishedAt.getTime() - startedAt.getTime()) / 1000);
}

function outcomeText({ outcome, undoneAt, undoneBy }: Release): string {
  return undoneAt === undefined
    ? outcome
    : `${outcome}, undone ${undoneAt.toISOString().slice(0, 16)}Z by ${undoneBy}`;
}
