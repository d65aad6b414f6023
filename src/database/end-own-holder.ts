import type { ClientBase } from 'pg';
import { lockId } from './advisory-lock.js';

/**
 * Ends the session of the process `pid` if it holds the lock named `key`, and is thus the one that is meant: a server
 * may take hours to notice that a network is gone, and the lock is held so long.
 */
export async function endOwnHolder(
  client: ClientBase,
  key: string,
  pid: number | undefined,
): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(l.pid)
       FROM pg_catalog.pg_locks AS l
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = $2
        AND l.database = (
          SELECT d.oid FROM pg_catalog.pg_database AS d
           WHERE d.datname = pg_catalog.current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`,
    [String(lockId(key)), pid],
  );
}
