import { shown } from '../../errors/shown.js';
import type { FleetDeployment, FleetReport } from '../../operations/fleet.js';
import type { Context } from '../command.js';
import { leftBehindText } from './left-behind.js';
import type { Style } from './style.js';
import { type Cell, table } from './table.js';
import { counted, indented, paragraphs } from './text.js';
import { duration, relativeTime } from './time.js';

const UNKNOWN = 'unknown';

export function fleetText(
  report: FleetReport,
  { invocation }: Pick<Context, 'invocation'>,
  now: Date,
  style: Style,
): string {
  const { cronDatabase, cronRole, deployments, renamed, notStarted } = report;
  const where = `role "${shown(cronRole)}" in the pg_cron of database "${shown(cronDatabase)}"`;
  return paragraphs(
    `${counted(deployments.length, 'deployment')} of ${where}; ${placesText(report)}.`,
    deployments.length > 0 && fleetTable(deployments, now, style),
    notStarted !== undefined &&
      style.bad(`${notStarted} Why, and what to do: ${invocation('doctor')}`),
    section(style, 'Unknown', deployments.flatMap(unknownLines)),
    section(style, 'Drift: jobs that are not as configured', deployments.flatMap(driftLines)),
    style.warning(leftBehindText(report.leftBehind, shown(cronDatabase), { invocation })),
    renamed.length > 0 &&
      style.warning(
        renamed
          .map(
            ({ workDatabase, nameNow }) =>
              `Database "${shown(workDatabase)}" is called "${shown(nameNow)}" now: its jobs are for ${invocation('adopt')}, with its own settings.`,
          )
          .join('\n'),
      ),
    unseenText(report),
  );
}

function placesText({ places, deployments }: FleetReport): string {
  const held = deployments.map(({ placesHeld }) => placesHeld);
  const sum = held.reduce<number>((total, each) => total + (each ?? 0), 0);
  const isWhole = !held.includes(null);
  return `${isWhole ? '' : 'at least '}${counted(sum, 'place')} held, of ${
    places === null
      ? 'an unknown number (cron.max_running_jobs is hidden from this role)'
      : `${places} for all roles (cron.max_running_jobs)`
  }`;
}

function fleetTable(deployments: readonly FleetDeployment[], now: Date, style: Style): string {
  const isNamed = deployments.some(({ schema }) => schema !== deployments[0]?.schema);
  return table(
    style,
    [
      'database',
      ...(isNamed ? ['schema'] : []),
      'version',
      'release',
      'mode',
      'state',
      'queued',
      'oldest',
      'per min',
      'failed/h',
      'last success',
      'places',
      'failed runs/h',
      'last run',
      'drift',
    ],
    deployments.map((deployment) => [
      deployment.database,
      ...(isNamed ? [deployment.schema] : []),
      ...cellsOf(deployment, now),
    ]),
  );
}

function cellsOf(deployment: FleetDeployment, now: Date): Cell[] {
  const { packageVersion, release, mode, holds, queue, perMinute, results, runs } = deployment;
  const { placesHeld, drift } = deployment;
  const last = (date: Date | undefined) => (date === undefined ? '-' : relativeTime(date, now));
  return [
    packageVersion ?? UNKNOWN,
    release === null ? UNKNOWN : releaseCell(release),
    mode,
    holds === null ? UNKNOWN : stateCell(holds),
    queue?.queued ?? UNKNOWN,
    queue === null ? UNKNOWN : ageCell(queue.oldestSeconds),
    perMinute === null ? UNKNOWN : rateCell(perMinute),
    results?.failedLastHour ?? UNKNOWN,
    results === null ? UNKNOWN : last(results.lastSuccess),
    placesHeld ?? UNKNOWN,
    runs?.failedLastHour ?? UNKNOWN,
    runs === null ? UNKNOWN : last(runs.lastSuccess),
    drift === null ? UNKNOWN : driftCell(drift.length),
  ];
}

function releaseCell({ number, label, outcome }: NonNullable<FleetDeployment['release']>): string {
  const ended = outcome === 'done' ? '' : ` ${outcome}`;
  return `${number}${label === undefined ? '' : ` (${label})`}${ended}`;
}

function stateCell(holds: NonNullable<FleetDeployment['holds']>): string {
  if (holds.length === 0) return 'open';
  return holds
    .map(({ holder }) => (holder === 'pause' ? 'paused' : `held by ${holder}`))
    .join(', ');
}

function ageCell(seconds: number | undefined): string {
  return seconds === undefined ? '-' : duration(seconds);
}

function rateCell(perMinute: number): string {
  return String(Number(perMinute.toFixed(perMinute < 10 ? 1 : 0)));
}

function driftCell(jobs: number): string {
  return jobs === 0 ? 'none' : counted(jobs, 'job');
}

function section(style: Style, heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${style.bold(heading)}\n${indented(lines.join('\n'))}`;
}

/** One reason is mostly that of all that is unknown. */
function unknownLines({ database, unknown }: FleetDeployment): string[] {
  const reasons = [...new Set(unknown.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const parts = unknown.filter((one) => one.reason === reason).map(({ part }) => part);
    return `${shown(database)} (${parts.join(', ')}): ${shown(reason)}`;
  });
}

function driftLines({ database, drift }: FleetDeployment): string[] {
  return (drift ?? []).map(
    ({ jobName, problem }) => `${shown(database)}: ${shown(jobName)} is ${problem}`,
  );
}

function unseenText({ cronRole, unseen }: FleetReport): string {
  const others =
    unseen.length === 0
      ? ''
      : ` Other roles own here: ${unseen.map((name) => `schema "${shown(name)}"`).join(', ')}.`;
  return `Deployments of other cron roles can't be seen by role "${shown(cronRole)}": pg_cron shows each role its own jobs.${others}`;
}
