import { type ClientBase, escapeIdentifier } from 'pg';
import { type Finding, failed, ok, type RemedyBy, sql, warning } from './check-result.js';

/** A privilege that a role needs. */
export interface Grant {
  /** As written in GRANT, such as `USAGE ON SCHEMA "cron"`. */
  readonly privilege: string;
  readonly role: string;
  /** A query for one boolean; no row counts as not held. */
  readonly held: string;
  readonly values: readonly string[];
}

// These queries identify objects by oid: identifying them by name would itself need USAGE on the schema.

export function onDatabase(
  role: string,
  database: string,
  privilege: 'CONNECT' | 'CREATE' | 'TEMPORARY',
): Grant {
  return {
    privilege: `${privilege} ON DATABASE ${escapeIdentifier(database)}`,
    role,
    held: 'SELECT has_database_privilege($1::name, oid, $2) AS held FROM pg_database WHERE datname = $3',
    values: [role, privilege, database],
  };
}

export function onSchema(role: string, schema: string, privilege: 'USAGE' | 'CREATE'): Grant {
  return {
    privilege: `${privilege} ON SCHEMA ${escapeIdentifier(schema)}`,
    role,
    held: 'SELECT has_schema_privilege($1::name, oid, $2) AS held FROM pg_namespace WHERE nspname = $3',
    values: [role, privilege, schema],
  };
}

export function onTable(
  role: string,
  schema: string,
  table: string,
  privilege: 'SELECT' | 'DELETE',
): Grant {
  return {
    privilege: `${privilege} ON TABLE ${escapeIdentifier(schema)}.${escapeIdentifier(table)}`,
    role,
    held: `SELECT has_table_privilege($1::name, c.oid, $2) AS held
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $3 AND c.relname = $4`,
    values: [role, privilege, schema, table],
  };
}

/** `types` as PostgreSQL writes them: `text, bigint`. Required, because functions can be overloaded. */
export function onFunction(role: string, schema: string, name: string, types: string): Grant {
  return {
    privilege: `EXECUTE ON FUNCTION ${escapeIdentifier(schema)}.${escapeIdentifier(name)}(${types})`,
    role,
    held: `SELECT has_function_privilege($1::name, p.oid, 'EXECUTE') AS held
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = $2 AND p.proname = $3 AND oidvectortypes(p.proargtypes) = $4`,
    values: [role, schema, name, types],
  };
}

/** The statement that grants the privilege. */
export function grantLine({ privilege, role }: Grant): string {
  return `GRANT ${privilege} TO ${escapeIdentifier(role)};`;
}

export async function missingGrants(
  client: ClientBase,
  grants: readonly Grant[],
): Promise<Grant[]> {
  const missing: Grant[] = [];
  for (const grant of grants) {
    const { rows } = await client.query<{ held: boolean }>(grant.held, [...grant.values]);
    if (rows[0]?.held !== true) missing.push(grant);
  }
  return missing;
}

export interface GrantsNeeded {
  readonly client: ClientBase;
  readonly database: string;
  /** Who may grant them. */
  readonly by: RemedyBy;
  /** All for the same role. */
  readonly grants: readonly Grant[];
  /** What does not work without them. */
  readonly without: string;
  readonly whenMissing?: 'failed' | 'warning';
}

export async function checkGrants(needed: GrantsNeeded): Promise<Finding> {
  const missing = await missingGrants(needed.client, needed.grants);
  if (missing.length === 0) return ok(describeGrants(needed.grants));
  return (needed.whenMissing === 'warning' ? warning : failed)(
    `missing: ${describeGrants(missing)}; without that, ${needed.without}`,
    sql(needed.by, needed.database, ...missing.map(grantLine)),
  );
}

function describeGrants(grants: readonly Grant[]): string {
  return `${grants.map(({ privilege }) => privilege).join(', ')} for role "${grants[0]?.role}"`;
}
