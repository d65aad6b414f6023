import { escapeIdentifier, escapeLiteral } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { pasteable, shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { asideLines } from './aside-problems.js';
import { JOB_FUNCTION } from './contract-names.js';
import type { ForeignProcessors } from './foreign-processors.js';
import {
  type ForeignConfigCopy,
  type ForeignJob,
  type ForeignSetup,
  type ForeignWorkSide,
  isUsed,
} from './foreign-setup.js';
import { ownCopyRows } from './read-cron-side.js';

/** Lines for a person to type. */
export interface ByHand {
  readonly why: string;
  readonly by: string;
  readonly database: string;
  readonly lines: readonly string[];
}

/** Lines that give the migrator what it takes over, and room for it. A definer's function would run with its rights until it is gone. */
export function ownerLines({ work, stray }: ForeignSetup, settings: Settings): string[] {
  const to = escapeIdentifier(settings.work.user);
  return [
    ...(work === undefined ? [] : asideLines(work.aside, settings)),
    ...[...(work?.tables ?? []), ...(work?.caches ?? [])]
      .filter(({ isOurs }) => !isOurs)
      .map(({ name }) => `ALTER TABLE ${clientName(settings, name)} OWNER TO ${to};`),
    ...[...(work?.functions ?? []), ...stray.filter((one) => !isUsed(one))]
      .filter(({ isOurs }) => !isOurs)
      .flatMap(({ signature, kind }) => [
        // Said of each, since its owner may change that until it is no longer his.
        ...(kind.toUpperCase() !== 'AGGREGATE'
          ? [`ALTER ${kind} ${signature} SECURITY INVOKER;`]
          : []),
        `ALTER ${kind} ${signature} OWNER TO ${to};`,
      ]),
  ].map(pasteable);
}

/** What an adoption leaves to people. */
export function byHand(
  { work, stray, cron }: ForeignSetup,
  settings: Settings,
  processors: ForeignProcessors,
): ByHand[] {
  const { database } = settings.cron;
  const others = cron.jobs.filter(({ role }) => role !== settings.cron.user);
  const hasAdmin = settings.admin !== undefined;
  const hidden =
    cron.seesAllJobs || !mayHaveHiddenJobs(work, cron.jobs, processors)
      ? []
      : [
          {
            why: `Jobs of other roles cannot be seen by role "${shown(settings.cron.user)}". If there are some, those at work are waited for, and all fail from now on, since what they call is gone. With PG_ADMIN_USER and PG_ADMIN_PASSWORD set, adopt does this itself`,
            by: 'administrator',
            database,
            lines: [unscheduleAll(settings)],
          },
        ];
  return [
    ...hidden,
    ...(hasAdmin
      ? []
      : others.map((job) => ({
          why: `Job "${shown(job.name)}" is another role's; it fails from now on, since what it calls is gone`,
          by: `role "${shown(job.role)}" or administrator`,
          database,
          lines: [`SELECT cron.unschedule(${job.jobId});`],
        }))),
    ...stray
      .filter((one) => !isUsed(one) && !one.isOurs && !hasAdmin)
      .map(({ kind, signature, owner }) => ({
        why: 'Jobs of the tool that are not visible here would process the same queue with this',
        by: `role "${shown(owner)}" or administrator`,
        database: settings.work.database,
        lines: [pasteable(`DROP ${kind} ${signature};`)],
      })),
    ...(cron.copy === undefined || hasAdmin ? [] : copyByHand(cron.copy, settings)),
  ];
}

function copyByHand(copy: ForeignConfigCopy, settings: Settings): ByHand[] {
  const { database } = settings.cron;
  const functions = copy.functions.filter((one) => !isUsed(one) && !one.isOurs);
  const owners = [...new Set(functions.map(({ owner }) => owner))];
  const drop = (by: string) =>
    functions
      .filter(({ owner }) => owner === by)
      .map(({ kind, signature }) => pasteable(`DROP ${kind} ${signature};`));
  const whoever = (owner: string) => `role "${shown(owner)}" or administrator`;
  return [
    ...(copy.isOurs
      ? []
      : [
          {
            why: "The tool's configuration here is another role's; its trigger would schedule the old jobs again",
            by: whoever(copy.owner),
            database,
            lines: [...dropCopyLines(copy, settings), ...drop(copy.owner)],
          },
        ]),
    ...owners
      .filter((owner) => copy.isOurs || owner !== copy.owner)
      .map((owner) => ({
        why: "Functions of the tool's here are another role's, and nobody needs them any more",
        by: whoever(owner),
        database,
        lines: drop(owner),
      })),
  ];
}

function mayHaveHiddenJobs(
  work: ForeignWorkSide | undefined,
  jobs: readonly ForeignJob[],
  { taken }: ForeignProcessors,
): boolean {
  if (work === undefined) return false;
  if (work.tables.some(({ role, rows }) => role === 'processorConfig' && rows === null))
    return true;
  const names = new Set(jobs.map(({ name }) => name));
  return taken.some(
    ({ job_name, enabled, max_parallel_jobs = 0 }) =>
      enabled &&
      Array.from({ length: max_parallel_jobs }, (_, n) => `${job_name}_${n + 1}`).some(
        (name) => !names.has(name),
      ),
  );
}

function unscheduleAll(settings: Settings): string {
  return pasteable(
    `SELECT cron.unschedule(jobid) FROM cron.job WHERE database = ${escapeLiteral(settings.work.database)} AND strpos(command, ${escapeLiteral(`${JOB_FUNCTION}(`)}) > 0 AND strpos(command, ${escapeLiteral(escapeLiteral(settings.queuePrefix))}) > 0;`,
  );
}

/** Whole statements, in one transaction: without its trigger, deleting a row schedules nothing. */
export function dropCopyLines(
  { schema, table, triggers, otherRows }: ForeignConfigCopy,
  settings: Settings,
): string[] {
  const name = `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
  const lines =
    otherRows === 0
      ? [`DROP TABLE ${name};`]
      : [
          `ALTER TABLE ${name} DISABLE TRIGGER USER;`,
          `DELETE FROM ${name} WHERE ${ownCopyRows(settings)};`,
          ...triggers.map(
            (trigger) => `ALTER TABLE ${name} ENABLE TRIGGER ${escapeIdentifier(trigger)};`,
          ),
        ];
  return lines.map(pasteable);
}
