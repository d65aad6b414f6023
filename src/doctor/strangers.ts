import { escapeIdentifier } from 'pg';
import { type Finding, failed, text } from './check-result.js';
import type { SchemaState } from './schema-state.js';
import { list } from './wording.js';

/** Refuses a schema in which others could put their code in the place of ours; undefined when there are none. */
export function refuseStrangers(
  { strangers, owner }: SchemaState,
  { schema, database, user }: { schema: string; database: string; user: string },
  anotherSchema: string,
): Finding | undefined {
  if (strangers.length === 0) return undefined;
  const isTheirs = strangers.includes(owner);
  const name = escapeIdentifier(schema);
  return failed(
    `in "${schema}" of database "${database}", what role "${user}" deploys could be replaced by ${list(strangers)}, ` +
      (isTheirs ? `since role "${owner}" owns it` : 'since they may CREATE there'),
    text(
      'administrator',
      ...(isTheirs ? [`  ALTER SCHEMA ${name} OWNER TO ${escapeIdentifier(user)};`] : []),
      ...strangers
        .filter((role) => role !== owner)
        .map(
          (role) =>
            `  REVOKE CREATE ON SCHEMA ${name} FROM ${role === 'PUBLIC' ? role : escapeIdentifier(role)};`,
        ),
      `Or ${anotherSchema}`,
    ),
  );
}
