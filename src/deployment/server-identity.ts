import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import type { Settings } from '../settings/settings.js';
import { readSystemIdentifier } from './whereabouts.js';

/** What tells one running server from every other: also from a copy of its cluster. */
export interface ServerIdentity {
  /** Undefined if the platform hides it. */
  readonly system: string | undefined;
  readonly started: string;
}

export async function readServerIdentity(client: ClientBase): Promise<ServerIdentity> {
  const { rows } = await client.query<{ started: string }>(
    'SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text AS started',
  );
  return { system: await readSystemIdentifier(client), started: rows[0]?.started ?? '' };
}

/** pg_cron works on databases of its own server; with those of another one, nothing may be done. */
export class TwoServersError extends PcacheError {
  override readonly name = 'TwoServersError';

  constructor({ work, cron }: Pick<Settings, 'work' | 'cron'>) {
    super(
      `The work database "${work.database}" (${work.host}:${work.port}) and the pg_cron database "${cron.database}" (${cron.host}:${cron.port}) are on two servers: the jobs there are not those of this database. Nothing was changed.`,
      { remedy: 'Set PG_CRON_HOST and PG_CRON_PORT to the server of the work database.' },
    );
  }
}

/** Raises TwoServersError unless both connections lead to the same server. */
export async function requireOneServer(
  { work, cron }: { readonly work: ClientBase; readonly cron: ClientBase },
  settings: Pick<Settings, 'work' | 'cron'>,
): Promise<void> {
  const [one, other] = [await readServerIdentity(work), await readServerIdentity(cron)];
  if (one.started !== other.started) throw new TwoServersError(settings);
}
