import { type ClientBase, escapeIdentifier } from 'pg';
import { type Droppable, dropFunctions } from './drop-foreign-code.js';
import type { ForeignFunction } from './foreign-setup.js';

/**
 * Drops them. What something else uses goes to that schema instead, where it goes on working for whoever uses it, and
 * is not in the way of our own; returns the oids of those.
 */
export async function setFunctionsAside(
  work: ClientBase,
  functions: readonly ForeignFunction[],
  schema: string,
): Promise<number[]> {
  const oids: number[] = [];
  for (const { kind, signature } of await dropFunctions(work, functions)) {
    const { rows } = await work.query<{ oid: number }>('SELECT $1::regprocedure::oid AS oid', [
      signature,
    ]);
    await work.query(`ALTER ${kind} ${signature} SET SCHEMA ${escapeIdentifier(schema)}`);
    oids.push(...rows.map(({ oid }) => oid));
  }
  return oids;
}

/** Once the old tables are gone: some of them were used by those alone. */
export async function dropUnusedAside(work: ClientBase, oids: readonly number[]): Promise<void> {
  const { rows } = await work.query<Droppable>(
    `SELECT oid::regprocedure::text AS signature,
            CASE prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
       FROM pg_proc WHERE oid = ANY ($1) ORDER BY prokind = 'a' DESC, 1`,
    [oids],
  );
  await dropFunctions(work, rows);
}
