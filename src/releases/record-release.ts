import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** What a run says of itself. */
export interface ReleaseIdentity {
  readonly packageVersion: string;
  readonly planHash: string | undefined;
  readonly label: string | undefined;
  readonly host: string;
  readonly program: string;
}

const LONGEST_ERROR = 2000;

const LOST = 'it was interrupted, or its client was lost';

/** The number of the next release; `applied` are releases of which the pg_cron database has something. */
export async function nextReleaseNumber(
  work: ClientBase,
  settings: Settings,
  applied: readonly number[],
): Promise<number> {
  // They are not recorded where the work stream was rolled back alone: one before them would not be the last.
  const least = Math.max(1, ...applied);
  if (!(await hasRelation(work, settings.schema, 'release'))) return least;
  const { rows } = await work.query<{ last: number }>(
    `SELECT coalesce(max(number), 0) AS last FROM ${ownName(settings, 'release')}`,
  );
  return Math.max(least, (rows[0]?.last ?? 0) + 1);
}

/** Begins the release, `seconds` after it really did, or adds to one that was begun. */
export async function recordWork(
  work: ClientBase,
  settings: Settings,
  number: number,
  identity: ReleaseIdentity,
  seconds: number,
  migrations: readonly string[],
): Promise<void> {
  const { packageVersion, planHash, label, host, program } = identity;
  await work.query(
    `INSERT INTO ${ownName(settings, 'release')} AS release
       (number, package_version, plan_hash, label, host, program, started_at, work_migrations)
     VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() - make_interval(secs => $7), $8)
     ON CONFLICT (number) DO UPDATE
       SET work_migrations = release.work_migrations || EXCLUDED.work_migrations`,
    [number, packageVersion, planHash, label, host, program, seconds, migrations],
  );
}

/** Ends the release that was begun; `error` says why it failed. */
export async function recordEnd(
  work: ClientBase,
  settings: Settings,
  number: number,
  cronMigrations: readonly string[],
  error?: string,
): Promise<void> {
  await work.query(
    `UPDATE ${ownName(settings, 'release')}
        SET finished_at = clock_timestamp(), outcome = CASE WHEN $2::text IS NULL THEN 'done' ELSE 'failed' END,
            error = $2, cron_migrations = $3
      WHERE number = $1`,
    [number, error?.slice(0, LONGEST_ERROR), cronMigrations],
  );
}

/**
 * Ends what an earlier run has left unfinished. Its client was lost, and no other can be under way, since the locks
 * are held. `cronMigrations` are those in the ledger there, by release.
 */
export async function endLostReleases(
  work: ClientBase,
  settings: Settings,
  cronMigrations: (release: number) => readonly string[],
): Promise<void> {
  if (!(await hasRelation(work, settings.schema, 'release'))) return;
  const { rows } = await work.query<{ number: number }>(
    `SELECT number FROM ${ownName(settings, 'release')} WHERE outcome = 'unfinished' ORDER BY number`,
  );
  for (const { number } of rows) {
    // When it ended nobody knows; its last migration is the last that was heard of it.
    await work.query(
      `UPDATE ${ownName(settings, 'release')}
          SET outcome = 'failed', error = $2, cron_migrations = $3, finished_at = coalesce(
                (SELECT max(applied_at) FROM ${ownName(settings, 'ledger')} WHERE release = number), started_at)
        WHERE number = $1`,
      [number, LOST, cronMigrations(number)],
    );
  }
}

/**
 * The last release as done, if it has failed when it had applied something: nothing is pending any more, and the
 * jobs follow. Returns its number.
 */
export async function recordCompleted(
  work: ClientBase,
  settings: Settings,
): Promise<number | undefined> {
  if (!(await hasRelation(work, settings.schema, 'release'))) return undefined;
  const { rows } = await work.query<{ number: number }>(
    `UPDATE ${ownName(settings, 'release')}
        SET finished_at = clock_timestamp(), outcome = 'done', error = NULL
      WHERE number = (SELECT max(number) FROM ${ownName(settings, 'release')})
        AND outcome = 'failed' AND undone_at IS NULL AND work_migrations || cron_migrations <> '{}'
      RETURNING number`,
  );
  return rows[0]?.number;
}

/** Marks the releases as undone of which nothing is applied any more; returns their numbers. */
export async function recordUndone(
  work: ClientBase,
  settings: Settings,
  stillApplied: readonly number[],
): Promise<number[]> {
  if (!(await hasRelation(work, settings.schema, 'release'))) return [];
  const { rows } = await work.query<{ number: number }>(
    `UPDATE ${ownName(settings, 'release')}
        SET undone_at = clock_timestamp(), undone_by = session_user
      WHERE undone_at IS NULL AND work_migrations || cron_migrations <> '{}' AND number <> ALL ($1)
      RETURNING number`,
    [stillApplied],
  );
  return rows.map(({ number }) => number);
}
