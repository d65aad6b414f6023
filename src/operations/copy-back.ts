import { type ClientBase, escapeIdentifier } from 'pg';
import { keptName } from '../deployment/kept-tables.js';
import { isOwnData } from '../deployment/own-data.js';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';

/** `"schema"."name"` of the table that a kept one becomes again. */
export function nameAfterwards(settings: Settings, table: string): string {
  return isOwnData(table) ? ownName(settings, table) : clientName(settings, table);
}

/** Puts the kept rows into a table that a release has just made, and drops what kept them. */
export async function copyBack(work: ClientBase, settings: Settings, table: string): Promise<void> {
  const from = keptName(settings, table);
  const to = nameAfterwards(settings, table);
  const { processorConfig } = deploymentTables(settings);
  // A release makes this row.
  if (table === 'settings') await work.query(`DELETE FROM ${to}`);
  if (table === processorConfig) await copyConfiguration(work, from, to);
  else await copyRows(work, from, to);
  if (table === 'settings') await makeRoom(work, settings);
  await work.query(`DROP TABLE ${from}`);
}

/** For the processors that were taken over from PartitionCache's own tool meanwhile. */
async function makeRoom(work: ClientBase, settings: Settings): Promise<void> {
  const config = clientName(settings, deploymentTables(settings).processorConfig);
  await work.query(
    `UPDATE ${ownName(settings, 'settings')} AS settings SET max_slots = taken.slots
       FROM (SELECT pg_catalog.sum(max_parallel_jobs) AS slots FROM ${config} WHERE enabled) AS taken
      WHERE settings.max_slots < taken.slots`,
  );
}

async function copyRows(work: ClientBase, from: string, to: string): Promise<void> {
  const { rows } = await work.query<{ name: string; is_counted: boolean }>(
    `SELECT a.attname AS name,
            pg_catalog.pg_get_serial_sequence($2::text, a.attname) IS NOT NULL AS is_counted
       FROM pg_catalog.pg_attribute AS k
       JOIN pg_catalog.pg_attribute AS a
         ON a.attrelid = $2::text::pg_catalog.regclass AND a.attname = k.attname AND a.attgenerated = ''
      WHERE k.attrelid = $1::pg_catalog.regclass AND k.attnum > 0 AND NOT k.attisdropped`,
    [from, to],
  );
  const columns = rows.map(({ name }) => escapeIdentifier(name)).join(', ');
  await work.query(
    `INSERT INTO ${to} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${from}`,
  );
  for (const { name } of rows.filter(({ is_counted }) => is_counted)) {
    const last = `pg_catalog.max(${escapeIdentifier(name)})`;
    await work.query(
      `SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence($1, $2), ${last})
         FROM ${to} HAVING ${last} IS NOT NULL`,
      [to, name],
    );
  }
}

/**
 * Without our triggers: one would stamp the rows with a new time, and the other reach for a pg_cron that this run
 * connects only when it is done. What the first one checks is asked here.
 */
async function copyConfiguration(work: ClientBase, from: string, to: string): Promise<void> {
  await work.query(`ALTER TABLE ${to} DISABLE TRIGGER USER`);
  await copyRows(work, from, to);
  await work.query(`UPDATE ${to} SET target_database = pg_catalog.current_database()`);
  await work.query(`ALTER TABLE ${to} ENABLE TRIGGER USER`);
}
