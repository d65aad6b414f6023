import { type ClientBase, escapeIdentifier } from 'pg';
import { sqlState } from '../database/database-error.js';
import { CRON_FUNCTIONS, JOB_FUNCTION } from './contract-names.js';
import type { ForeignFunction } from './foreign-setup.js';

export async function dropTriggers(client: ClientBase, table: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT tgname::text AS name FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal`,
    [table],
  );
  for (const { name } of rows) {
    await client.query(`DROP TRIGGER ${escapeIdentifier(name)} ON ${table}`);
  }
}

/** What the jobs and the command line of every set-up in a database call. */
const SHARED: readonly string[] = [JOB_FUNCTION, ...CRON_FUNCTIONS];

/** Those that no other set-up in the database needs. */
export function notShared(
  functions: readonly ForeignFunction[],
  isShared: boolean,
): ForeignFunction[] {
  return functions.filter(
    ({ signature }) => !isShared || !SHARED.some((name) => signature.includes(name)),
  );
}

export type Droppable = Pick<ForeignFunction, 'kind' | 'signature'>;

/** Returns those that are not dropped, since something of others hangs on them. */
export async function dropFunctions(
  client: ClientBase,
  functions: readonly Droppable[],
): Promise<Droppable[]> {
  const left: Droppable[] = [];
  for (const one of functions) {
    if (!(await dropUnlessUsed(client, `${one.kind} ${one.signature}`))) left.push(one);
  }
  return left;
}

/** Returns why it is still there; undefined once it is gone. */
export async function dropTable(client: ClientBase, table: string): Promise<string | undefined> {
  return (await dropUnlessUsed(client, `TABLE ${table}`))
    ? undefined
    : `${table}: something of others reads it`;
}

const DEPENDENT_OBJECTS_STILL_EXIST = '2BP01';

/** False where something of others hangs on it. */
export async function dropUnlessUsed(client: ClientBase, object: string): Promise<boolean> {
  await client.query('SAVEPOINT drop_object');
  try {
    await client.query(`DROP ${object}`);
    await client.query('RELEASE SAVEPOINT drop_object');
    return true;
  } catch (error) {
    if (sqlState(error) !== DEPENDENT_OBJECTS_STILL_EXIST) throw error;
    await client.query('ROLLBACK TO SAVEPOINT drop_object');
    return false;
  }
}
