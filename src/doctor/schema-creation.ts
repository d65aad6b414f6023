import type { ClientBase } from 'pg';
import type { ConnectionSettings } from '../settings/settings.js';
import { type Finding, ok } from './check-result.js';
import { checkGrants, onDatabase } from './grants.js';
import { type MarkerColumn, readSchemaState } from './schema-state.js';

export interface SchemaCreation {
  readonly client: ClientBase;
  readonly connection: Pick<ConnectionSettings, 'user' | 'database'>;
  readonly schema: string;
  readonly marker: MarkerColumn;
}

/** Whether our schema exists, or the role may create it. */
export async function checkSchemaCreation({
  client,
  connection: { user, database },
  schema,
  marker,
}: SchemaCreation): Promise<Finding> {
  if (await readSchemaState(client, schema, marker, user)) {
    return ok(`not needed: schema "${schema}" exists`);
  }
  return checkGrants({
    client,
    database,
    by: 'owner of the database',
    grants: [onDatabase(user, database, 'CREATE')],
    without: `the schema "${schema}" cannot be created`,
  });
}
