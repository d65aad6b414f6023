import { type ClientBase, escapeIdentifier } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { provideSchema } from '../migrations/provide-schema.js';
import type { Settings } from '../settings/settings.js';
import { asideProblems } from './aside-problems.js';
import { keptSchema } from './contract-names.js';
import { copyRows } from './copy-rows.js';
import { dropTable, dropTriggers, dropUnlessUsed } from './drop-foreign-code.js';
import { findForeignWorkSide } from './find-foreign-setup.js';
import type { ConfigRow, ForeignTable, ForeignWorkSide } from './foreign-setup.js';
import { dropUnusedAside, setFunctionsAside } from './set-functions-aside.js';
import { SetupChangedError } from './setup-changed-error.js';
import { mayStay, takeCaches } from './take-caches.js';
import { takeConfig } from './take-config.js';
import type { TakenTable } from './taken-table.js';

/**
 * Runs `migrate` in the transaction that is open, with the tables of the set-up out of its way, and puts their rows
 * into those that it makes. What does not fit stays in a schema of its own.
 */
export async function takingOver(
  work: ClientBase,
  settings: Settings,
  config: readonly ConfigRow[],
  migrate: () => Promise<readonly string[]>,
): Promise<{ readonly names: readonly string[]; readonly taken: readonly TakenTable[] }> {
  const side = await findForeignWorkSide(work, settings);
  if (side === undefined) return { names: await migrate(), taken: [] };
  const held = await hold(work, settings, side);
  await provideSchema(work, keptSchema(settings));
  const functions = await moveAside(work, settings, held);
  const names = await migrate();
  const taken = [
    ...(await takeTables(work, settings, held, config)),
    ...(await takeCaches(work, settings, held.caches)),
  ];
  await dropUnusedAside(work, functions);
  await dropIfEmpty(work, keptSchema(settings));
  return { names, taken };
}

/** Nobody else reads or writes them until the end of the transaction. */
async function hold(
  work: ClientBase,
  settings: Settings,
  side: ForeignWorkSide,
): Promise<ForeignWorkSide> {
  const names = namesOf(side);
  await work.query(
    `LOCK TABLE ${names.map((name) => `ONLY ${clientName(settings, name)}`).join(', ')} IN ACCESS EXCLUSIVE MODE`,
  );
  const held = await findForeignWorkSide(work, settings);
  const changes = [
    ...changedTables(side, held),
    ...(held === undefined ? [] : asideProblems(held.aside, settings)),
  ];
  if (held === undefined || changes.length > 0) {
    throw new SetupChangedError(changes, 'Nothing was taken over.');
  }
  return held;
}

function changedTables(before: ForeignWorkSide, now: ForeignWorkSide | undefined): string[] {
  const names = now === undefined ? [] : namesOf(now);
  const known = namesOf(before);
  return [
    ...known.filter((name) => !names.includes(name)).map((name) => `table ${name} is gone`),
    ...names.filter((name) => !known.includes(name)).map((name) => `table ${name} is new`),
    ...[...(now?.tables ?? []), ...(now?.caches ?? [])].flatMap(({ name, unusable }) =>
      unusable === undefined ? [] : [`table ${name} cannot be taken over any more: ${unusable}`],
    ),
  ];
}

function namesOf({ tables, caches }: ForeignWorkSide): string[] {
  return [...tables, ...caches].map(({ name }) => name);
}

/** Returns the oids of the functions that are kept. */
async function moveAside(
  work: ClientBase,
  settings: Settings,
  { tables, caches, functions }: ForeignWorkSide,
): Promise<number[]> {
  const moved = [...tables, ...caches.filter((cache) => !mayStay(cache, settings))];
  for (const { name } of moved) {
    await dropTriggers(work, clientName(settings, name));
    await work.query(
      `ALTER TABLE ${clientName(settings, name)} SET SCHEMA ${escapeIdentifier(keptSchema(settings))}`,
    );
  }
  return setFunctionsAside(work, functions, keptSchema(settings));
}

async function takeTables(
  work: ClientBase,
  settings: Settings,
  { tables }: ForeignWorkSide,
  config: readonly ConfigRow[],
): Promise<TakenTable[]> {
  const taken: TakenTable[] = [];
  // What was at work comes last: it may be known, or queued.
  const isLast = ({ role }: ForeignTable) => role === 'activeJobs';
  for (const table of [...tables.filter((one) => !isLast(one)), ...tables.filter(isLast)]) {
    taken.push(await takeTable(work, settings, table, config));
  }
  // In cross mode the pg_cron database may have the only configuration.
  if (config.length > 0 && !tables.some(({ role }) => role === 'processorConfig')) {
    const { taken: processors, left } = await takeConfig(work, settings, config, undefined);
    const { processorConfig } = deploymentTables(settings);
    const kept = left.length === 0 ? undefined : left.join('; ');
    taken.push({ table: processorConfig, taken: processors, queued: 0, kept });
  }
  return taken;
}

async function takeTable(
  work: ClientBase,
  settings: Settings,
  { role, name, columns }: ForeignTable,
  config: readonly ConfigRow[],
): Promise<TakenTable> {
  const from = `${escapeIdentifier(keptSchema(settings))}.${escapeIdentifier(name)}`;
  if (role === 'activeJobs') {
    const queued = await queueUnsettled(work, settings, from, columns);
    return { table: name, taken: 0, queued, kept: await dropOld(work, from, []) };
  }
  if (role === 'processorConfig') {
    const { taken, left } = await takeConfig(work, settings, config, from);
    return { table: name, taken, queued: 0, kept: await dropOld(work, from, left) };
  }
  const { taken, left, lostColumns } = await copyRows(work, from, clientName(settings, name));
  const reasons = [
    ...(left > 0 ? [`${left} of its rows do not fit`] : []),
    ...(lostColumns.length > 0 ? [`there is no column ${lostColumns.join(', ')} any more`] : []),
  ];
  return { table: name, taken, queued: 0, kept: await dropOld(work, from, reasons) };
}

/** Drops the old table unless there is a reason to keep it; returns the reasons. */
async function dropOld(
  work: ClientBase,
  table: string,
  reasons: readonly string[],
): Promise<string | undefined> {
  if (reasons.length > 0) return `${table}: ${reasons.join('; ')}`;
  return dropTable(work, table);
}

/** What was being evaluated is still queued, or known; but nothing is lost where it is neither. */
async function queueUnsettled(
  work: ClientBase,
  settings: Settings,
  from: string,
  columns: readonly string[],
): Promise<number> {
  const { fragmentQueue, queries } = deploymentTables(settings);
  const datatype = columns.includes('partition_datatype') ? 'partition_datatype' : 'NULL';
  const { rowCount } = await work.query(
    `INSERT INTO ${clientName(settings, fragmentQueue)} (query, hash, partition_key, partition_datatype)
     SELECT query, query_hash, partition_key, ${datatype} FROM ONLY ${from} AS active
      WHERE NOT EXISTS (SELECT FROM ${clientName(settings, queries)} AS known
                         WHERE known.query_hash = active.query_hash
                           AND known.partition_key = active.partition_key)
     ON CONFLICT DO NOTHING`,
  );
  return rowCount ?? 0;
}

async function dropIfEmpty(work: ClientBase, schema: string): Promise<void> {
  // Not one that was there before and is somebody else's.
  const { rowCount } = await work.query(
    "SELECT FROM pg_namespace WHERE nspname = $1 AND pg_has_role(nspowner, 'USAGE')",
    [schema],
  );
  if (rowCount === 1) await dropUnlessUsed(work, `SCHEMA ${escapeIdentifier(schema)}`);
}
