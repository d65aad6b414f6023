import type { ClientBase } from 'pg';

// Not to_regclass and the like: they fail where the role may not use the schema.

/** Whether the schema has a function or procedure of this name. */
export async function hasRoutine(
  client: ClientBase,
  schema: string,
  name: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
      WHERE nspname = $1 AND proname = $2 LIMIT 1`,
    [schema, name],
  );
  return rowCount === 1;
}

/** Whether the schema has a table, view or other relation of this name. */
export async function hasRelation(
  client: ClientBase,
  schema: string,
  name: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = $1 AND relname = $2`,
    [schema, name],
  );
  return rowCount === 1;
}

export async function hasExtension(client: ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_extension WHERE extname = $1',
    [name],
  );
  return rowCount === 1;
}

export async function hasSchema(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1',
    [schema],
  );
  return rowCount === 1;
}

export async function hasDatabase(client: ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [
    name,
  ]);
  return rowCount === 1;
}
