import type { Settings } from '../settings/settings.js';
import type { ConfigRow, ForeignJob, ForeignSetup } from './foreign-setup.js';
import { enabledSlots } from './take-config.js';

export interface ForeignProcessors {
  /** As they are taken over. */
  readonly taken: readonly ConfigRow[];
  /** They fill another cache from this queue, which no deployment of this package does. */
  readonly left: readonly ConfigRow[];
  /** Where the two databases disagree: the pg_cron database decides, since its jobs are what ran. */
  readonly disagreements: readonly string[];
}

const COMPARED = [
  'enabled',
  'max_parallel_jobs',
  'frequency_seconds',
  'timeout_seconds',
  'result_limit',
  'default_bitsize',
] as const;

export function foreignProcessors(setup: ForeignSetup, settings: Settings): ForeignProcessors {
  const here = setup.work?.config ?? [];
  const there = setup.cron.copy?.rows ?? [];
  const rows = [
    ...there,
    ...here.filter((row) => !there.some(({ job_name }) => job_name === row.job_name)),
  ].sort((a, b) => (a.job_name < b.job_name ? -1 : 1));
  const isServed = (row: ConfigRow) =>
    row.queue_prefix === settings.queuePrefix &&
    row.table_prefix === settings.tablePrefix &&
    row.cache_backend === settings.cacheBackend;
  return {
    taken: rows.filter(isServed),
    left: rows.filter((row) => !isServed(row)),
    disagreements: there.flatMap((row) => {
      const other = here.find(({ job_name }) => job_name === row.job_name);
      return COMPARED.flatMap((column) =>
        other === undefined || (other[column] ?? null) === (row[column] ?? null)
          ? []
          : [
              `processor "${row.job_name}": ${column} was ${textOf(other[column])} in the work database and ${textOf(row[column])} in the pg_cron database, whose value is taken: its jobs are what ran`,
            ],
      );
    }),
  };
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? 'not set' : String(value);
}

/** What the settings will mean from now on, where that is something else. */
export function changesInMeaning(
  { taken }: ForeignProcessors,
  { jobs, seesAllJobs }: ForeignSetup['cron'],
  maxSlots: number,
): string[] {
  const slots = enabledSlots(taken);
  return [
    ...taken.flatMap((row) => [
      ...frequencyChanges(row, jobsOf(row, jobs), seesAllJobs),
      ...limitChanges(row),
    ]),
    ...(taken.some(({ enabled }) => enabled)
      ? [
          'a job took one fragment each time it started; from now on it works until the queue is empty, and timeout_seconds is for each fragment',
        ]
      : []),
    ...(slots > maxSlots
      ? [
          `the enabled processors have ${slots} slots together: max_slots, the limit on that, becomes ${slots}`,
        ]
      : []),
  ];
}

export function jobsOf({ job_name }: ConfigRow, jobs: readonly ForeignJob[]): ForeignJob[] {
  return jobs.filter(
    ({ name }) => name.startsWith(`${job_name}_`) && /^\d+$/.test(name.slice(job_name.length + 1)),
  );
}

function frequencyChanges(
  row: ConfigRow,
  jobs: readonly ForeignJob[],
  seesAllJobs: boolean,
): string[] {
  const { job_name, enabled, frequency_seconds: seconds = 1 } = row;
  if (!enabled) return [];
  if (jobs.length === 0) {
    return [
      seesAllJobs
        ? `processor "${job_name}" is enabled but pg_cron has no job of it, so it has not run; from now on it runs, every ${seconds} s`
        : `processor "${job_name}" is enabled but this role sees no job of it in pg_cron: it has not run, or another role's jobs ran it; from now on it runs every ${seconds} s`,
    ];
  }
  const schedules = [...new Set(jobs.map(({ schedule }) => schedule))];
  return schedules
    .filter((schedule) => secondsOf(schedule) !== seconds)
    .map(
      (schedule) =>
        `processor "${job_name}" has frequency_seconds ${seconds}, but its jobs were started by the schedule "${schedule}"; from now on it is every ${seconds} s`,
    );
}

/** Undefined for a schedule that is not the same interval all day. */
export function secondsOf(schedule: string): number | undefined {
  const [, bySeconds] = /^(\d+) seconds?$/.exec(schedule) ?? [];
  if (bySeconds !== undefined) return Number(bySeconds);
  const [, minutes] = /^\*(?:\/(\d+))? \* \* \* \*$/.exec(schedule) ?? [];
  if (schedule === '* * * * *') return 60;
  return minutes !== undefined && 60 % Number(minutes) === 0 ? Number(minutes) * 60 : undefined;
}

function limitChanges({ job_name, result_limit: limit }: ConfigRow): string[] {
  return limit === null || limit === undefined
    ? []
    : [
        `processor "${job_name}" has result_limit ${limit}, which was never applied; from now on a fragment with more keys gets the status limit, and no set`,
      ];
}
