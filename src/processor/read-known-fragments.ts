import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** How many fragments had which outcome, as far as it is still known. */
export interface KnownFragments {
  readonly ok: number;
  readonly failed: number;
  readonly timeout: number;
  /** More keys than result_limit. */
  readonly limit: number;
}

export async function readKnownFragments(
  work: ClientBase,
  settings: Settings,
): Promise<KnownFragments> {
  const { rows } = await work.query<{ status: keyof KnownFragments; fragments: number }>(
    `SELECT status, fragments::float8 FROM ${ownName(settings, 'known_fragments')}`,
  );
  const known = Object.fromEntries(rows.map(({ status, fragments }) => [status, fragments]));
  return { ok: 0, failed: 0, timeout: 0, limit: 0, ...known };
}
