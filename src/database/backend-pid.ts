import type { ClientBase } from 'pg';

/** Which process of the server serves the client. */
export async function backendPid(client: ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid;
}
