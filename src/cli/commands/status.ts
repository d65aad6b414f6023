import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import type { JobStatus } from '../../jobs/read-jobs.js';
import { span } from '../../migrations/span.js';
import { readStatus, type StatusReport, type StreamStatus } from '../../operations/status.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { verbose } from '../options.js';
import { processorTable } from '../output/processors.js';
import type { Style } from '../output/style.js';
import { table } from '../output/table.js';
import { counted, indented, paragraphs, yesNo } from '../output/text.js';
import { duration, relativeTime } from '../output/time.js';

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'Show what is deployed, pending and scheduled, and how the jobs fare',
  details: `Changes nothing. Exit code ${EXIT_CODES.pending} if migrations are pending or the jobs have drifted from the configuration.`,
  examples: [
    ['status', 'All of it'],
    ['status --verbose', 'With the name of each pending migration'],
    ['status --json | jq .drift', 'How the jobs differ from the configuration'],
  ],
  positionals: {},
  options: verbose,
  run: async ({ verbose }, context) => {
    const settings = context.settings();
    const report = await readStatus(settings);
    return {
      exitCode: exitCodeOf(report),
      report,
      text: (style) => statusText(settings, report, context, style, verbose),
    };
  },
});

function exitCodeOf({ upToDate, cronUnreachable }: StatusReport): ExitCode {
  if (cronUnreachable !== undefined) return EXIT_CODES.failed;
  return upToDate ? EXIT_CODES.done : EXIT_CODES.pending;
}

function statusText(
  settings: Settings,
  report: StatusReport,
  context: Context,
  style: Style,
  verbose: boolean,
): string {
  const section = (heading: string, text: string) => `${style.bold(heading)}\n${indented(text)}`;
  const { streams, processors, jobs, drift } = report;
  return paragraphs(
    modeText(settings),
    section('Streams', streamTable(streams, style)),
    streams.some(({ pending }) => pending.length > 0)
      ? section('Pending migrations', pendingTable(streams, style, verbose))
      : '',
    processors.length > 0 ? section('Processors', processorTable(processors, style)) : '',
    jobs.length > 0 ? section('Jobs of pg_cron', jobTable(jobs, context.world.now(), style)) : '',
    lastFailures(jobs),
    drift.length > 0
      ? section(
          'Drift: jobs that are not as configured',
          table(
            style,
            ['job', 'problem', 'desired', 'actual'],
            drift.map(({ jobName, problem, desired, actual }) => [
              jobName,
              problem,
              desired ?? '-',
              actual ?? '-',
            ]),
          ),
        )
      : '',
    conclusion(report, context, style),
  );
}

function modeText({ mode, transport, work, cron }: Settings): string {
  return mode === 'single'
    ? `Single mode: pg_cron is in the work database "${work.database}".`
    : `Cross mode, transport ${transport}: pg_cron in database "${cron.database}" works on database "${work.database}".`;
}

function streamTable(streams: readonly StreamStatus[], style: Style): string {
  return table(
    style,
    ['stream', 'database', 'schema', 'applied', 'pending', 'last applied'],
    streams.map(({ stream, database, schema, applied, pending }) => [
      stream,
      database,
      schema,
      applied.length,
      pending.length,
      applied.at(-1)?.name ?? '-',
    ]),
  );
}

function pendingTable(streams: readonly StreamStatus[], style: Style, verbose: boolean): string {
  const rows = streams.flatMap(({ stream, pending }) => {
    if (verbose) return pending.map((migration) => [stream, migration]);
    return pending.length === 0 ? [] : [[stream, pending.length, span(pending)]];
  });
  return table(
    style,
    verbose ? ['stream', 'migration'] : ['stream', 'pending', 'migrations'],
    rows,
  );
}

function jobTable(jobs: readonly JobStatus[], now: Date, style: Style): string {
  return table(
    style,
    ['job', 'schedule', 'active', 'last run', 'status', 'next run', 'average', 'runs', 'failures'],
    jobs.map((job) => [
      job.jobName,
      job.schedule,
      yesNo(job.active),
      job.lastRun ? relativeTime(job.lastRun, now) : '-',
      job.lastStatus ?? '-',
      job.nextRun ? relativeTime(job.nextRun, now) : '-',
      job.averageSeconds === undefined ? '-' : duration(job.averageSeconds),
      job.runs,
      job.failures,
    ]),
  );
}

function lastFailures(jobs: readonly JobStatus[]): string {
  return jobs
    .filter(({ lastStatus }) => lastStatus === 'failed')
    .map(
      ({ jobName, lastMessage }) =>
        `${shown(jobName)} failed: ${shown(lastMessage?.trim() ?? 'without a message')}`,
    )
    .join('\n');
}

function conclusion(report: StatusReport, { invocation }: Context, style: Style): string {
  if (report.upToDate) return style.good('Up to date.');
  if (report.cronUnreachable !== undefined) {
    return style.bad(`Nothing is known of the cron side: ${report.cronUnreachable}`);
  }
  const pending = report.streams.reduce((sum, stream) => sum + stream.pending.length, 0);
  const foreign = report.drift.filter(({ problem }) => problem === 'foreign').length;
  const ours = report.drift.length - foreign;
  return [
    pending > 0 && `${counted(pending, 'migration')} pending. Apply with: ${invocation('up')}`,
    ours > 0 && `${counted(ours, 'job')} not as configured. Repair with: ${invocation('sync')}`,
    foreign > 0 &&
      `${counted(foreign, 'job')} of another making in the work database. Who made it can remove it by cron.unschedule(jobid).`,
  ]
    .filter((line) => line !== false)
    .map(style.warning)
    .join('\n');
}
