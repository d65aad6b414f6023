// SQL: whether what a job runs is what this package makes jobs run for one deployment. `command` and `schema` are SQL.

/** In the work database, where its schema is `schema`. */
export function callsWork(command: string, schema: string): string {
  return `(pg_catalog.starts_with(${command}, pg_catalog.format('CALL %I.run_processor(', ${schema}))
           OR ${command} = pg_catalog.format('CALL %I.run_maintenance()', ${schema}))`;
}

/** In the pg_cron database, where its schema is `schema`. */
export function callsHere(command: string, schema: string): string {
  return `(pg_catalog.starts_with(${command}, pg_catalog.format('SELECT %I.prune_job_runs(', ${schema}))
           OR pg_catalog.starts_with(${command}, pg_catalog.format('SELECT %I.dispatch(', ${schema})))`;
}

/** The name of a schema as format('%I') writes it, whatever it is: a regular expression, for SQL and for JavaScript. */
export const SCHEMA_NAME = '("([^"]|"")+"|[a-z_][a-z0-9_$]*)';
