import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { ownName } from '../deployment/own-names.js';
import { requireOwnSchema } from '../migrations/ledger.js';
import type { Settings } from '../settings/settings.js';
import type { Release, ReleaseOutcome } from './release.js';

interface ReleaseRow {
  number: number;
  package_version: string;
  plan_hash: string | null;
  label: string | null;
  role: string;
  host: string;
  program: string;
  started_at: Date;
  finished_at: Date | null;
  outcome: ReleaseOutcome;
  error: string | null;
  work_migrations: string[];
  cron_migrations: string[];
  undone_at: Date | null;
  undone_by: string | null;
}

/** All releases of this deployment, the first one first; none where nothing is deployed. */
export async function readReleases(work: ClientBase, settings: Settings): Promise<Release[]> {
  await requireOwnSchema(work, settings.schema, settings.work.user);
  if (!(await hasRelation(work, settings.schema, 'release'))) return [];
  const { rows } = await work.query<ReleaseRow>(
    `SELECT number, package_version, plan_hash, label, role, host, program, started_at, finished_at, outcome, error,
            work_migrations, cron_migrations, undone_at, undone_by
       FROM ${ownName(settings, 'release')} ORDER BY number`,
  );
  return rows.map((row) => ({
    number: row.number,
    packageVersion: row.package_version,
    planHash: row.plan_hash ?? undefined,
    label: row.label ?? undefined,
    role: row.role,
    host: row.host,
    program: row.program,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    outcome: row.outcome,
    error: row.error ?? undefined,
    workMigrations: row.work_migrations,
    cronMigrations: row.cron_migrations,
    undoneAt: row.undone_at ?? undefined,
    undoneBy: row.undone_by ?? undefined,
  }));
}
