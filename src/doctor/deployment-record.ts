import { type ClientBase, escapeIdentifier } from 'pg';

/** The row of `deployment` in our schema of a work database. */
export interface Deployment {
  readonly work_database: string;
  readonly client_schema: string;
  readonly queue_prefix: string;
  readonly table_prefix: string;
  readonly cache_backend: string;
  readonly cron_schema: string;
  readonly cron_role: string;
  readonly client_role: string;
  /** Null where fragments have the rights of whoever runs the processor. */
  readonly fragment_role: string | null;
  readonly transport: string;
  /** Null unless the cron stream is up. */
  readonly pg_cron_version: string | null;
  /** Where that is, or was last; null until then. */
  readonly cron_database: string | null;
}

export async function readDeployment(
  work: ClientBase,
  schema: string,
): Promise<Deployment | undefined> {
  const { rows } = await work.query<Deployment>(
    `SELECT * FROM ${escapeIdentifier(schema)}.deployment`,
  );
  return rows[0];
}

export interface KnownDeployment {
  readonly schema: string;
  /** Undefined if this role may not read it. */
  readonly deployment: Deployment | undefined;
}

/**
 * All deployments in this work database, whoever owns them. A table with row security is not ours, and
 * reading it would run its owner's code with our privileges.
 */
export async function readDeployments(work: ClientBase): Promise<KnownDeployment[]> {
  const { rows } = await work.query<{ schema: string; readable: boolean }>(
    `SELECT n.nspname::text AS schema,
            has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'queue_prefix'
      WHERE c.relname = 'deployment' AND c.relkind = 'r' AND NOT c.relrowsecurity
      ORDER BY n.nspname`,
  );
  const known: KnownDeployment[] = [];
  for (const { schema, readable } of rows) {
    known.push({ schema, deployment: readable ? await readDeployment(work, schema) : undefined });
  }
  return known;
}
