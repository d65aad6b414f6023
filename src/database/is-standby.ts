import type { ClientBase } from 'pg';

/** Whether the server follows another one, so that nothing can be written there. */
export async function isStandby(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>(
    'SELECT pg_catalog.pg_is_in_recovery() AS standby',
  );
  return rows[0]?.standby === true;
}
