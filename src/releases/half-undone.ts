import type { Release } from './release.js';

/** A release that stands, of which something was rolled back and not applied again. */
export interface HalfUndone {
  readonly release: number;
  /** In the order in which they were applied. */
  readonly rolledBack: readonly string[];
  /** The last release that stands before it, to which a rollback can go on; 0: none. */
  readonly before: number;
}

/** The names that are applied, of the streams that were looked at. */
export interface AppliedNames {
  readonly work: readonly string[];
  readonly cron: readonly string[] | undefined;
}

/** The first one, if there is any: what undoes that undoes the later ones, too. */
export function findHalfUndone(
  releases: readonly Release[],
  { work, cron }: AppliedNames,
): HalfUndone | undefined {
  const standing = releases.filter(({ undoneAt }) => undoneAt === undefined);
  for (const { number, workMigrations, cronMigrations } of standing) {
    const rolledBack = [
      ...workMigrations.filter((name) => !work.includes(name)),
      ...(cron === undefined ? [] : cronMigrations.filter((name) => !cron.includes(name))),
    ];
    if (rolledBack.length === 0) continue;
    const before = standing.filter((one) => one.number < number && one.outcome === 'done');
    return { release: number, rolledBack, before: before.at(-1)?.number ?? 0 };
  }
  return undefined;
}
