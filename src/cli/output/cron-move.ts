import type { AdministratorStatements } from '../../doctor/apply-remedies.js';
import { shown } from '../../errors/shown.js';
import { SCHEDULE_LINES } from '../../jobs/other-jobs.js';
import type { ModeReport, MovePreview } from '../../operations/mode/change-mode.js';
import type { JobsOfOthers } from '../../operations/mode/jobs-of-others.js';
import type { Stop } from '../../operations/mode/stop.js';
import { shellWord } from '../shell-word.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { counted, indented, paragraphs } from './text.js';

/** What will happen, before it is asked for. */
export function previewText(
  { from, to, needsRestart, others, unreachable }: MovePreview,
  style: Style,
): string {
  return paragraphs(
    `The cron stream and this deployment's jobs leave database "${from}" for database "${to}". Nothing is processed until they are there.`,
    needsRestart &&
      'In between, the server has to be restarted: pg_cron then starts the jobs of that database, and no others.',
    unreachable !== undefined &&
      style.warning(`Nothing can be removed from database "${from}": ${unreachable}`),
    ...others.map((found) => othersText(found, style)),
  );
}

const WHAT_BECOMES = {
  stop: 'the restart stops',
  start: 'the restart lets start',
  stopped: 'no longer run, since the server serves another one',
} as const satisfies Record<JobsOfOthers['effect'], string>;

function othersText({ database, effect, jobs, unseen }: JobsOfOthers, style: Style): string {
  const where = `Jobs of others in database "${database}" that ${WHAT_BECOMES[effect]}:`;
  return paragraphs(
    jobs.length > 0 &&
      [
        style.warning(where),
        indented(
          table(
            style,
            ['jobid', 'job', 'role', 'database', 'schedule', 'active', 'command'],
            jobs.map((job) => [
              job.jobId,
              job.jobName ?? '-',
              job.role,
              job.database,
              job.schedule,
              job.active ? 'yes' : 'no',
              job.command,
            ]),
          ),
        ),
        jobs.some(({ isOfPackage }) => isOfPackage) &&
          'Those that call run_processor, run_maintenance, prune_job_runs or dispatch are of other deployments of this package: each moves by the same command, with its own .env.',
      ]
        .filter(Boolean)
        .join('\n'),
    unseen !== undefined && unseenText(database, effect, jobs.length, unseen, style),
  );
}

function unseenText(
  database: string,
  effect: JobsOfOthers['effect'],
  seen: number,
  why: string,
  style: Style,
): string {
  const what = seen > 0 ? 'more of them' : `jobs of others in database "${database}"`;
  const happens = effect === 'stopped' ? `${what} no longer run` : `the restart ${effect}s ${what}`;
  const whether = `Whether ${happens} could not be seen: ${why}.`;
  return effect === 'start'
    ? style.warning(whether)
    : [
        style.warning(whether),
        `They are listed as the lines that make them again in the new place, for an administrator, in database "${database}":`,
        `  ${SCHEDULE_LINES}`,
      ].join('\n');
}

/** What to type, in its order. */
export function stopText(
  { mode, others }: ModeReport,
  { before, restart, after, carriesOverLater }: Stop,
  { invocation }: { readonly invocation: (commandLine: string) => string },
  style: Style,
): string {
  const stopped = others.find(({ effect, jobs }) => effect === 'stop' && jobs.length > 0);
  return paragraphs(
    ...others.map((found) => othersText(found, style)),
    ...before.map((statements) => statementsText(statements, style)),
    restart !== null &&
      [
        style.bold('Then restart the server; a reload is not enough:'),
        `  pg_ctl restart -m fast -D ${restart.dataDirectory === null ? '<its data directory>' : shellWord(restart.dataDirectory)}`,
      ].join('\n'),
    ...after.map((statements) => statementsText(statements, style, 'Then, ')),
    `${style.bold('Then:')} ${invocation(`mode ${mode}`)}`,
    carriesOverLater &&
      'Once it has made the extension, it prints the lines that make the jobs of others again.',
    restart !== null &&
      style.warning(
        `Do not type DROP EXTENSION pg_cron in database "${restart.from}"${
          stopped === undefined
            ? ': that takes jobs of others along'
            : `: that takes ${counted(stopped.jobs.length, 'job')} of others along`
        }; the command above does it once nobody needs it.`,
      ),
  );
}

/** The jobs of others that no longer run, and what has them run again. */
export function againText({ others, again }: ModeReport, style: Style): string {
  return paragraphs(
    ...others.map((found) => othersText(found, style)),
    again !== null && statementsText(again, style, 'To have them run again, '),
  );
}

function statementsText(
  { database, lines }: AdministratorStatements,
  style: Style,
  then = '',
): string {
  const heading = `${then}${then === '' ? 'As' : 'as'} an administrator (superuser), in database "${shown(database)}":`;
  return [style.bold(heading), ...lines.map((line) => `  ${line}`)].join('\n');
}
