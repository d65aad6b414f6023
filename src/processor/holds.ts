import { hostname } from 'node:os';
import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

export type Holder = 'pause' | 'up' | 'down' | 'mode' | 'adopt';

/** Somebody keeps processing from going on. */
export interface Hold {
  readonly holder: string;
  readonly reason: string;
  readonly heldBy: string;
  /** Where it was typed, if that was said. */
  readonly host?: string;
  readonly since: Date;
  /** The session with which it ends; without one it stands until it is released. */
  readonly pid?: number;
}

/** The holds of this moment, the oldest first; none where nothing is deployed. */
export async function readHolds(work: ClientBase, settings: Settings): Promise<Hold[]> {
  if (!(await hasRelation(work, settings.schema, 'holds_1'))) return [];
  const { rows } = await work.query<{
    holder: string;
    reason: string;
    held_by: string;
    host: string | null;
    since: Date;
    pid: number | null;
  }>(
    `SELECT holder, reason, held_by, host, since, pid
       FROM ${ownName(settings, 'holds_1')} ORDER BY since, holder`,
  );
  return rows.map(({ held_by, host, pid, ...hold }) => ({
    ...hold,
    heldBy: held_by,
    ...(host === null ? {} : { host }),
    ...(pid === null ? {} : { pid }),
  }));
}

/** Holds processing until it is released, whatever becomes of this session; false where this holder did already. */
export function placeHold(
  work: ClientBase,
  settings: Settings,
  holder: Holder,
  reason: string,
): Promise<boolean> {
  return place(work, settings, holder, reason, false);
}

/** Likewise, but only as long as this session lasts. */
export function placeSessionHold(
  work: ClientBase,
  settings: Settings,
  holder: Holder,
  reason: string,
): Promise<boolean> {
  return place(work, settings, holder, reason, true);
}

/** Returns false where this holder held nothing. What others hold stays held. */
export async function releaseHold(
  work: ClientBase,
  settings: Settings,
  holder: Holder,
): Promise<boolean> {
  const { rows } = await work.query<{ released: boolean }>(
    `SELECT ${ownName(settings, 'release_hold')}($1) AS released`,
    [holder],
  );
  return rows[0]?.released === true;
}

async function place(
  work: ClientBase,
  settings: Settings,
  holder: Holder,
  reason: string,
  withSession: boolean,
): Promise<boolean> {
  const { rows } = await work.query<{ placed: boolean }>(
    `SELECT ${ownName(settings, 'place_hold')}($1, $2, $3, $4) AS placed`,
    [holder, reason, hostname(), withSession],
  );
  return rows[0]?.placed === true;
}
