import type { StreamPlan } from '../deployment/stream-plan.js';
import { shown } from '../errors/shown.js';
import { type DownExtent, MigrationSelectionError } from '../migrations/select-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { Release } from '../releases/release.js';

/** How far back `down` goes, as the user says it. */
export type RollbackExtent =
  | DownExtent
  /** The last release, with failed ones just before it, which it completed. */
  | { readonly lastRelease: true }
  /** Back to how the last release of this version of the package left it. */
  | { readonly toVersion: string };

/**
 * Whether what earlier rollbacks kept is dropped: where nothing else is left to drop. What is applied goes first and
 * alone, since rows that did not fit it are of another deployment, which may come back.
 */
export function givesUpKept(
  {
    dropData,
    extent,
    streams,
  }: {
    readonly dropData?: boolean | undefined;
    readonly extent: RollbackExtent;
    readonly streams: readonly StreamName[];
  },
  plans: readonly StreamPlan[],
): boolean {
  const isApplied = plans.some(({ stream, applied }) => stream === 'work' && applied.length > 0);
  return dropData === true && 'all' in extent && streams.includes('work') && !isApplied;
}

/**
 * `chosen` are the plans of the streams to roll back. Raises MigrationSelectionError for a release or version that
 * cannot be gone back to.
 */
export function resolveExtent(
  extent: RollbackExtent,
  plans: readonly StreamPlan[],
  chosen: readonly StreamPlan[],
  releases: readonly Release[],
): DownExtent {
  if ('lastRelease' in extent) {
    // Another would be undone if the same command were run again.
    const isDone = isHalfUndone(plans, releases);
    return { toRelease: isDone ? lastApplied(plans) : beforeLast(chosen, releases) };
  }
  if ('toVersion' in extent) return { toRelease: lastOfVersion(extent.toVersion, releases) };
  if ('toRelease' in extent) requireStanding(extent.toRelease, releases);
  return extent;
}

/** Whether a rollback stopped when all of a release was rolled back, before it was recorded as undone. */
export function isHalfUndone(plans: readonly StreamPlan[], releases: readonly Release[]): boolean {
  // Of a stream that cannot be looked at, all may still be applied.
  if (!plans.some(({ stream }) => stream === 'cron')) return false;
  const last = lastApplied(plans);
  return releases.some(
    ({ number, undoneAt, workMigrations, cronMigrations }) =>
      number > last && undoneAt === undefined && workMigrations.length + cronMigrations.length > 0,
  );
}

function lastApplied(plans: readonly StreamPlan[]): number {
  const applied = plans.flatMap((plan) => plan.applied).map(({ record }) => record?.release ?? 0);
  return Math.max(0, ...applied);
}

function beforeLast(plans: readonly StreamPlan[], releases: readonly Release[]): number {
  let before = lastApplied(plans) - 1;
  const outcomes = new Map(releases.map(({ number, outcome }) => [number, outcome]));
  while (before > 0 && outcomes.get(before) !== 'done') before -= 1;
  return Math.max(0, before);
}

function lastOfVersion(version: string, releases: readonly Release[]): number {
  const last = standing(releases).findLast(({ packageVersion }) => packageVersion === version);
  if (last) return last.number;
  const versions = [...new Set(standing(releases).map(({ packageVersion }) => packageVersion))];
  throw new MigrationSelectionError(
    `No release of version "${shown(version)}" is applied. Applied are releases of: ${versions.map(shown).join(', ') || 'none'}.`,
    'Ask pcache-migrate history.',
  );
}

function requireStanding(number: number, releases: readonly Release[]): void {
  if (standing(releases).some((release) => release.number === number)) return;
  const numbers = standing(releases).map((release) => release.number);
  throw new MigrationSelectionError(
    `Release ${number} is not applied, so it cannot remain the last. Applied are: ${numbers.join(', ') || 'none'}.`,
    'Ask pcache-migrate history.',
  );
}

function standing(releases: readonly Release[]): Release[] {
  return releases.filter(({ outcome, undoneAt }) => outcome === 'done' && undoneAt === undefined);
}
