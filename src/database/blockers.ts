import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { inQuotes, shown } from '../errors/shown.js';
import { withClientBeside } from './connect.js';

/** A session that holds a lock; what the server hides from this role is null. Not its query: that may hold secrets. */
export interface Blocker {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly queryStart: Date | null;
}

export interface BlockerWatch {
  /** Ends the watch; returns who kept the session waiting last. */
  readonly stop: () => Promise<readonly Blocker[]>;
}

const POLL_MS = 200;

/**
 * Looks over another connection, from `afterMs` on, for whom the session of `client` waits: once its wait is over, the
 * server can no longer say.
 */
export function watchBlockers(
  client: ClientBase,
  pid: number | undefined,
  afterMs: number,
): BlockerWatch {
  const ended = new AbortController();
  const { signal } = ended;
  let seen: readonly Blocker[] = [];
  const watching = sleep(afterMs, undefined, { signal })
    .then(() =>
      withClientBeside(client, async (other) => {
        while (!signal.aborted) {
          const found = await readBlockers(other, pid);
          if (found.length > 0) seen = found;
          await sleep(POLL_MS, undefined, { signal });
        }
      }),
    )
    // Ended; or it can't be found out, which must not be what the wait fails for.
    .catch(() => {});
  return {
    stop: async () => {
      ended.abort();
      await watching;
      return seen;
    },
  };
}

async function readBlockers(client: ClientBase, pid: number | undefined): Promise<Blocker[]> {
  const { rows } = await client.query<Blocker>(
    `SELECT blocking.pid, a.usename::text AS user, nullif(a.application_name, '') AS application,
            a.state, a.query_start AS "queryStart"
       FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS blocking (pid)
       LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = blocking.pid ORDER BY 1`,
    [pid],
  );
  return rows;
}

export function describeBlocker({ pid, user, application, state, queryStart }: Blocker): string {
  if (pid === 0) return 'a prepared transaction';
  return [
    `pid ${pid}`,
    user !== null && `role ${inQuotes(user)}`,
    application !== null && `application ${inQuotes(application)}`,
    state !== null && shown(state),
    queryStart !== null && `its last statement began at ${queryStart.toISOString()}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** For who may end them: their role, one that has its rights, or an administrator. */
export function endingLines(blockers: readonly Blocker[]): string {
  return blockers
    .map(({ pid }) =>
      pid === 0
        ? 'SELECT gid FROM pg_prepared_xacts; then COMMIT PREPARED or ROLLBACK PREPARED;'
        : `SELECT pg_terminate_backend(${pid});`,
    )
    .join(' ');
}
