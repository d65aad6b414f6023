import { escapeIdentifier } from 'pg';
import type { Settings } from '../settings/settings.js';

/** `"schema"."name"` of something in our schema of the work database. */
export function ownName(settings: Pick<Settings, 'schema'>, name: string): string {
  return `${escapeIdentifier(settings.schema)}.${escapeIdentifier(name)}`;
}

/** `"schema"."name"` of something in our schema of the pg_cron database. */
export function cronName(settings: Pick<Settings, 'cronSchema'>, name: string): string {
  return `${escapeIdentifier(settings.cronSchema)}.${escapeIdentifier(name)}`;
}

/** `"schema"."name"` of a table of the clients' contract. */
export function clientName(settings: Pick<Settings, 'clientSchema'>, name: string): string {
  return `${escapeIdentifier(settings.clientSchema)}.${escapeIdentifier(name)}`;
}
