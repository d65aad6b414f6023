import { describeLockHolder } from '../../database/advisory-lock.js';
import { cronMoving, cronMovingRemedy } from '../../deployment/cron-move.js';
import { version } from '../../deployment/package-version.js';
import { isMoved } from '../../deployment/whereabouts.js';
import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import type { JobStatus } from '../../jobs/read-jobs.js';
import { span } from '../../migrations/span.js';
import { readStatus, type StatusReport, type StreamStatus } from '../../operations/status.js';
import { keptSchemaName } from '../../settings/kept-schema.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { verbose } from '../options.js';
import { halfUndoneText } from '../output/half-undone.js';
import { heldText } from '../output/holds.js';
import { leftBehindText } from '../output/left-behind.js';
import { processorTable } from '../output/processors.js';
import type { Style } from '../output/style.js';
import { table } from '../output/table.js';
import { counted, indented, paragraphs, yesNo } from '../output/text.js';
import { duration, relativeTime } from '../output/time.js';
import { movedText } from '../output/whereabouts.js';

export const statusCommand = defineCommand({
  name: 'status',
  details: `Changes nothing. Exit code ${EXIT_CODES.pending} if migrations are pending, the jobs have drifted from the configuration, verify would find something, or nothing can be written in the work database; ${EXIT_CODES.failed} if the ledger is at odds with this package, or something could not be read.`,
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

function exitCodeOf({ upToDate, cronUnreachable, unknown, streams }: StatusReport): ExitCode {
  const atOdds = streams.some(({ problems }) => problems.length > 0);
  // While migrations are pending, something may well be missing.
  const pending = streams.some(({ pending }) => pending.length > 0);
  if (cronUnreachable !== undefined || atOdds || (unknown.length > 0 && !pending)) {
    return EXIT_CODES.failed;
  }
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
  const { streams, holds, processors, jobs, drift } = report;
  return paragraphs(
    modeText(settings),
    section('Streams', streamTable(streams, style)),
    streams.some(({ pending }) => pending.length > 0)
      ? section('Pending migrations', pendingTable(streams, style, verbose))
      : '',
    streams.some(({ problems }) => problems.length > 0)
      ? section('The ledger is at odds with this package', problemText(streams))
      : '',
    heldText(holds, context, style),
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
    keptLine(settings, report, context),
    standInLine(report, context),
    halfUndoneText(report.halfUndone, context),
    conclusion(settings, report, context, style),
    leftBehindText(report.leftBehind, settings.cron.database, context),
  );
}

function keptLine(
  settings: Settings,
  { kept }: StatusReport,
  { world, invocation }: Context,
): string {
  const [first] = kept.map(({ since }) => since).sort((a, b) => a.getTime() - b.getTime());
  if (first === undefined) return '';
  const tables = kept.map(({ table, rows }) => `${shown(table)} (${counted(rows, 'row')})`);
  return `Kept by down, the first ${relativeTime(first, world.now())}, in schema "${keptSchemaName(settings.schema)}": ${tables.join(', ')}. What fits comes back with the release that makes its table: ${invocation('up')}`;
}

function standInLine({ standIns }: StatusReport, { invocation }: Context): string {
  return standIns.length === 0
    ? ''
    : `The work stream was rolled back while pg_cron could not be reached: jobs that it still starts call ${standIns.map((name) => `${name}()`).join(' and ')}, which do nothing. Deploy it again: ${invocation('up')}; or take the jobs away, once pg_cron can be reached: ${invocation('down --all')}`;
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
      job.atRest ? 'at rest' : job.schedule,
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

function problemText(streams: readonly StreamStatus[]): string {
  return streams
    .flatMap(({ stream, problems, remedy }) => [
      ...problems.map((problem) => `${stream} stream: ${problem}`),
      ...(remedy === undefined ? [] : [remedy]),
    ])
    .join('\n');
}

function newerText({ stream, newer, newerPackage }: StreamStatus): string[] {
  return newer.length === 0
    ? []
    : [
        `The ${stream} stream was migrated by pcache-migrate ${shown(newerPackage ?? 'of a newer version')}, which is newer than this one (${version()}): ${span(newer)}.`,
      ];
}

function conclusion(
  settings: Settings,
  report: StatusReport,
  { invocation }: Context,
  style: Style,
): string {
  const newer = report.streams.flatMap(newerText).map(style.warning);
  if (report.upToDate) return [style.good('Up to date.'), ...newer].join('\n');
  const { cronElsewhere, cronMove } = report;
  const moving =
    cronMove !== undefined &&
    `${cronMoving(settings, cronMove)}\n${cronMovingRemedy(settings, cronMove)}`;
  const elsewhere =
    cronElsewhere !== undefined &&
    cronMove === undefined &&
    `The cron stream of this deployment is in database "${shown(cronElsewhere)}", and the settings (PG_CRON_DATABASE) say "${settings.cron.database}". Take it there with: ${invocation(`mode ${settings.mode}`)}`;
  const readOnly =
    report.readOnly !== undefined &&
    `${report.readOnly.isForAll ? 'No fragment is processed. ' : ''}${shown(report.readOnly.what)} ${shown(report.readOnly.remedy)}`;
  const link =
    report.link !== undefined &&
    `The link to the pg_cron database leads to ${shown(report.link.found)}, and by the settings to ${shown(report.link.expected)}. Renew it with: ${invocation('up')}`;
  if (report.atWork !== undefined) {
    return paragraphs(
      moving && style.warning(moving),
      elsewhere && style.warning(elsewhere),
      style.warning(
        `Another command of pcache-migrate is at work (${describeLockHolder(report.atWork)}): what is missing, pending or drifted may be so because of that. Look again when it is done: ${invocation('status')}`,
      ),
      readOnly && style.warning(readOnly),
    );
  }
  if (report.cronUnreachable !== undefined) {
    return paragraphs(
      style.bad(`Nothing is known of the cron side: ${report.cronUnreachable}`),
      moving && style.warning(moving),
      elsewhere && style.warning(elsewhere),
      readOnly && style.warning(readOnly),
      link && style.warning(link),
    );
  }
  if (isMoved(report.whereabouts)) {
    // Nothing else may be done before: what is pending or drifted is so because of that.
    return [
      ...newer,
      ...(readOnly ? [style.warning(readOnly)] : []),
      ...report.unknown.map((what) => style.warning(`Unknown: ${what}`)),
      movedText(report.whereabouts, settings, { invocation }, style),
    ].join('\n');
  }
  const pending = report.streams
    .filter(({ stream }) => stream === 'work' || cronElsewhere === undefined)
    .reduce((sum, stream) => sum + stream.pending.length, 0);
  const foreign = report.drift.filter(({ problem }) => problem === 'foreign').length;
  const ours = report.drift.length - foreign;
  return [
    ...newer,
    moving,
    elsewhere,
    readOnly,
    ...report.unknown.map((what) => `Unknown: ${what}`),
    report.unknown.length > 0 &&
      `What is missing there or was changed, and what mends it: ${invocation('verify')}; what a role or the server lacks: ${invocation('doctor')}`,
    report.lost !== undefined &&
      `Not deployed, but ${shown(report.lost.what)}. ${report.lost.remedy}`,
    report.notStarted !== undefined &&
      `${report.notStarted} Why, and what to do: ${invocation('doctor')}`,
    pending > 0 &&
      !moving &&
      report.lost === undefined &&
      `${counted(pending, 'migration')} pending. Apply with: ${invocation('up')}`,
    ...report.objects
      .filter(({ changed }) => changed)
      .map(
        ({ stream, database }) =>
          `The ${stream} stream in database "${database}" is not as it was released. See what differs: ${invocation('verify')}`,
      ),
    link,
    ours > 0 &&
      report.whereabouts.kind !== 'unknown' &&
      `${counted(ours, 'job')} not as configured. Repair with: ${invocation('sync')}`,
    foreign > 0 &&
      `${counted(foreign, 'job')} of another making in the work database. Who made it can remove it by cron.unschedule(jobid).`,
  ]
    .filter((line) => line !== false)
    .map(style.warning)
    .join('\n');
}
