import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** A run that is at work. */
export interface Run {
  readonly kind: 'processor' | 'maintenance' | 'by hand';
  readonly pid: number;
  /** Not of maintenance, of a run that is just beginning, nor of one by hand in somebody's transaction. */
  readonly processor?: string;
  readonly slot?: number;
  readonly role?: string;
}

/** The runs of this moment, without those of this session. */
export async function readRuns(work: ClientBase, settings: Settings): Promise<Run[]> {
  const { rows } = await work.query<{
    kind: Run['kind'];
    processor: string | null;
    slot: number | null;
    pid: number;
    role: string | null;
  }>(
    `SELECT kind, processor, slot, pid, role FROM ${ownName(settings, 'runs_1')}
      WHERE pid <> pg_catalog.pg_backend_pid() ORDER BY kind DESC, processor, slot, pid`,
  );
  return rows.map(({ kind, pid, processor, slot, role }) => ({
    kind,
    pid,
    ...(processor === null ? {} : { processor }),
    ...(slot === null || kind !== 'processor' ? {} : { slot }),
    ...(role === null ? {} : { role }),
  }));
}
