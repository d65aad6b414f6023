import { shown } from '../../errors/shown.js';
import type { ActiveFragment } from '../../processor/read-active.js';
import type { FailureClass } from '../../processor/read-failures.js';
import type { KnownFragments } from '../../processor/read-known-fragments.js';
import type { PriorityDepth, QueueDepth } from '../../processor/read-queue-depth.js';
import type { Throughput } from '../../processor/read-throughput.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { counted, indented } from './text.js';
import { duration, milliseconds, relativeTime } from './time.js';

// As much as a person takes in at a glance; --json has the rest.
const MOST_PRIORITIES = 5;
const MOST_ACTIVE = 20;
const MOST_FAILURES = 5;
const LONGEST_MESSAGE = 160;

export function queueText(
  { queued, waiting, oldestSeconds, priorities }: QueueDepth,
  style: Style,
): string {
  if (queued === 0) return `${style.bold('Queue:')} empty`;
  const facts = [
    counted(queued, 'fragment'),
    oldestSeconds !== undefined && `the oldest for ${age(oldestSeconds)}`,
    waiting > 0 && `${waiting} waiting to be tried again`,
  ];
  const line = facts.filter(Boolean).join(', ');
  return queued === 1
    ? `${style.bold('Queue:')} ${line}`
    : section('Queue:', line, priorityTable(priorities, style), style);
}

function priorityTable(priorities: readonly PriorityDepth[], style: Style): string {
  const crowded = priorities.length > MOST_PRIORITIES;
  const shown = crowded ? priorities.slice(0, MOST_PRIORITIES - 1) : priorities;
  const rest = priorities.slice(shown.length);
  return table(
    style,
    ['priority', 'queued', 'waiting', '> 1 min', '> 10 min', '> 1 h', 'oldest'],
    [
      ...shown.map((depth) => [depth.priority, ...depthCells([depth])]),
      ...(crowded ? [[`≤ ${rest[0]?.priority}`, ...depthCells(rest)]] : []),
    ],
  );
}

function depthCells(depths: readonly PriorityDepth[]): (string | number)[] {
  const sum = (pick: (depth: PriorityDepth) => number) =>
    orDash(depths.reduce((total, depth) => total + pick(depth), 0));
  const ages = depths.flatMap(({ oldestSeconds }) => oldestSeconds ?? []);
  return [
    sum(({ queued }) => queued),
    sum(({ waiting }) => waiting),
    sum(({ over1Minute }) => over1Minute),
    sum(({ over10Minutes }) => over10Minutes),
    sum(({ over1Hour }) => over1Hour),
    ages.length === 0 ? '-' : age(Math.max(...ages)),
  ];
}

export function activeText(active: readonly ActiveFragment[], style: Style): string {
  if (active.length === 0) return `${style.bold('At work:')} nothing`;
  const several = new Set(active.map(({ processor }) => processor)).size > 1;
  return section(
    'At work:',
    active.length > MOST_ACTIVE
      ? `${active.length} fragments, the longest ${MOST_ACTIVE}:`
      : counted(active.length, 'fragment'),
    table(
      style,
      [...(several ? ['processor'] : []), 'slot', 'for', 'pid', 'partition key', 'fragment'],
      active
        .slice(0, MOST_ACTIVE)
        .map(({ processor, slot, seconds, pid, partitionKey, queryHash }) => [
          ...(several ? [processor] : []),
          slot === 0 ? 'by hand' : slot,
          age(seconds),
          pid,
          partitionKey,
          queryHash,
        ]),
    ),
    style,
  );
}

export function throughputText(throughput: readonly Throughput[], style: Style): string {
  const busy = new Set(
    throughput.filter(({ settled }) => settled > 0).map(({ processor }) => processor),
  );
  const longest = Math.max(0, ...throughput.map(({ minutes }) => minutes));
  if (busy.size === 0) return `${style.bold('Settled:')} nothing in the last ${longest} min`;
  const several = busy.size > 1;
  return section(
    'Settled',
    'in the last minutes, and how long the evaluations took',
    table(
      style,
      [
        ...(several ? ['processor'] : []),
        'in the last',
        'settled',
        'per second',
        'ok',
        'failed',
        'timeout',
        'skipped',
        'p50',
        'p95',
        'p99',
        'longest',
      ],
      // One that is idle now shows when it stopped, so its empty minutes are shown too.
      throughput
        .filter(({ processor }) => busy.has(processor))
        .map((row) => [
          ...(several ? [row.processor] : []),
          `${row.minutes} min`,
          orDash(row.settled),
          orDash(Number(row.perSecond.toPrecision(3))),
          ...[row.succeeded, row.failed, row.timedOut, row.skipped].map(orDash),
          ...(['p50', 'p95', 'p99', 'max'] as const).map((name) =>
            row.evaluationMs === undefined ? '-' : milliseconds(row.evaluationMs[name]),
          ),
        ]),
    ),
    style,
  );
}

export function failuresText(failures: readonly FailureClass[], now: Date, style: Style): string {
  if (failures.length === 0) return `${style.bold('Failures:')} none in the last 24 h`;
  const more = failures.length - MOST_FAILURES;
  return section(
    'Failures',
    'of the last 24 h by SQLSTATE',
    [
      ...failures.slice(0, MOST_FAILURES).map((failure) => failureText(failure, now, style)),
      ...(more > 0 ? [`and ${counted(more, 'further kind')}: see --json`] : []),
    ].join('\n'),
    style,
  );
}

function failureText(
  { sqlState, reason, failures, stillFailed, lastSeen, example }: FailureClass,
  now: Date,
  style: Style,
): string {
  const kind = [sqlState, reason !== 'error' && reason].filter(Boolean).join(' ') || 'no SQLSTATE';
  const still = stillFailed > 0 ? style.bad(`${stillFailed} still failed`) : 'none still failed';
  const message = example.message?.replace(`${sqlState}: `, '');
  return [
    `${style.bold(kind)}  ${counted(failures, 'time')}, ${still}, last ${relativeTime(lastSeen, now)}`,
    `  ${shown(shortened(message ?? 'without a message'))}`,
    `  (fragment ${shown(example.queryHash)} of ${shown(example.partitionKey)})`,
  ].join('\n');
}

/** What to do about fragments that ended without a result; empty if there are none. */
export function remedyText(
  { failed, timeout, limit }: KnownFragments,
  invocation: (commandLine: string) => string,
  style: Style,
): string {
  const lost = [failed > 0 && `${failed} failed`, timeout > 0 && `${timeout} timed out`]
    .filter(Boolean)
    .join(', ');
  const lines = [
    lost !== '' && `Not cached: ${lost}. Once the cause is fixed: ${invocation('processor retry')}`,
    limit > 0 &&
      `Of no use: ${limit} with more keys than the result limit. Once it is raised: ${invocation('processor retry --status limit')}`,
  ];
  return lines
    .filter((line) => line !== false)
    .map(style.warning)
    .join('\n');
}

function section(heading: string, line: string, body: string, style: Style): string {
  return `${style.bold(heading)} ${line}\n${indented(body)}`;
}

// Clocks in different time zones could make it negative.
function age(seconds: number): string {
  return seconds < 1 ? '< 1 s' : duration(seconds);
}

function orDash(number: number): string | number {
  return number === 0 ? '-' : number;
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length > LONGEST_MESSAGE
    ? `${letters.slice(0, LONGEST_MESSAGE).join('')} …`
    : text;
}
