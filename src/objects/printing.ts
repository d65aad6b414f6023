import type { ClientBase } from 'pg';

/** What PostgreSQL prints of a definition depends on these: as pg_dump sets them, for whoever is connected. */
const SETTINGS: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog, pg_temp',
  quote_all_identifiers: 'off',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // The listing is one large query that reads little: compiled, it takes ten times as long.
  jit: 'off',
};

/** Within a transaction: `use` sees definitions printed in one way; afterwards the settings are as they were. */
export async function printingAlike<T>(client: ClientBase, use: () => Promise<T>): Promise<T> {
  const names = Object.keys(SETTINGS);
  const { rows } = await client.query<{ value: string }>(
    `SELECT pg_catalog.current_setting(name) AS value
       FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS setting (name, place) ORDER BY place`,
    [names],
  );
  await set(client, names, Object.values(SETTINGS));
  const result = await use();
  await set(
    client,
    names,
    rows.map(({ value }) => value),
  );
  return result;
}

async function set(client: ClientBase, names: string[], values: string[]): Promise<void> {
  await client.query(
    `SELECT pg_catalog.set_config(name, value, true)
       FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
              AS setting (name, value)`,
    [names, values],
  );
}
