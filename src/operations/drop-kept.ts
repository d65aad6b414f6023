import type { ClientBase } from 'pg';
import { KEPT_RECORD, keptName, readKept } from '../deployment/kept-tables.js';
import { dropOwnSchema } from '../migrations/drop-own-schema.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';

/** Within a transaction: gives up all that earlier rollbacks have kept. */
export async function dropKept(work: ClientBase, settings: Settings): Promise<void> {
  const kept = await readKept(work, settings);
  if (kept.length === 0) return;
  for (const { table } of kept) await work.query(`DROP TABLE ${keptName(settings, table)}`);
  await dropRoom(work, settings);
}

/** Within a transaction: the record of what is kept, once that is nothing, and the schema if it is empty. */
export async function dropRoom(work: ClientBase, settings: Settings): Promise<void> {
  await work.query(`DROP TABLE ${keptName(settings, KEPT_RECORD)}`);
  await dropOwnSchema(work, keptSchemaName(settings.schema));
}
