import type { ClientBase } from 'pg';
import { cronName, ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import type { Release } from './release.js';

export type LastRelease = Pick<
  Release,
  'number' | 'packageVersion' | 'label' | 'startedAt' | 'finishedAt' | 'outcome'
>;

/** The last one that was not undone, as the cron role may see it; undefined where there is none. */
export async function readLastRelease(
  work: ClientBase,
  settings: Settings,
): Promise<LastRelease | undefined> {
  const { rows } = await work.query<{
    number: number;
    package_version: string;
    label: string | null;
    started_at: Date;
    finished_at: Date | null;
    outcome: Release['outcome'];
  }>(
    `SELECT number, package_version, label, started_at, finished_at, outcome
       FROM ${ownName(settings, 'last_release')}`,
  );
  const [row] = rows;
  return (
    row && {
      number: row.number,
      packageVersion: row.package_version,
      label: row.label ?? undefined,
      startedAt: row.started_at,
      finishedAt: row.finished_at ?? undefined,
      outcome: row.outcome,
    }
  );
}

/** The version of the package that last migrated the cron stream; undefined where nothing is applied. */
export async function readCronVersion(
  cron: ClientBase,
  settings: Settings,
): Promise<string | undefined> {
  const { rows } = await cron.query<{ package_version: string }>(
    `SELECT package_version FROM ${cronName(settings, 'ledger')} ORDER BY release DESC, name DESC LIMIT 1`,
  );
  return rows[0]?.package_version;
}
