import type { ClientBase } from 'pg';

/** Undefined if there is no such setting, or the role may not see it: unlike SHOW, the view leaves that out. */
export async function visibleSetting(
  client: ClientBase,
  name: string,
): Promise<string | undefined> {
  const { rows } = await client.query<{ setting: string }>(
    'SELECT setting FROM pg_catalog.pg_settings WHERE name = $1',
    [name],
  );
  return rows[0]?.setting;
}
