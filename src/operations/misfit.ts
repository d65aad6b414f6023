import type { ClientBase } from 'pg';
import { shown } from '../errors/shown.js';

interface Column {
  readonly name: string;
  readonly kept: string;
  readonly now: string | null;
  readonly same: boolean;
}

/** Why the rows of the one table do not go into the other, by their columns; undefined if they do. */
export async function misfit(
  work: ClientBase,
  from: string,
  to: string,
): Promise<string | undefined> {
  const { rows } = await work.query<Column>(
    `SELECT k.attname AS name,
            pg_catalog.format_type(k.atttypid, k.atttypmod) AS kept,
            pg_catalog.format_type(a.atttypid, a.atttypmod) AS now,
            (k.atttypid, k.atttypmod) IS NOT DISTINCT FROM (a.atttypid, a.atttypmod) AS same
       FROM pg_catalog.pg_attribute AS k
       LEFT JOIN pg_catalog.pg_attribute AS a
         ON a.attrelid = $2::pg_catalog.regclass AND a.attname = k.attname AND NOT a.attisdropped
      WHERE k.attrelid = $1::pg_catalog.regclass AND k.attnum > 0 AND NOT k.attisdropped
      ORDER BY k.attnum`,
    [from, to],
  );
  const differing = rows.filter(({ same }) => !same);
  if (differing.length === 0) return undefined;
  return differing
    .map(({ name, kept, now }) =>
      now === null
        ? `the column ${shown(name)} is no longer there`
        : `the column ${shown(name)} was ${shown(kept)} and is ${shown(now)}`,
    )
    .join('; ');
}
