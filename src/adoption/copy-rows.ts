import { type ClientBase, escapeIdentifier } from 'pg';

export interface CopiedRows {
  readonly taken: number;
  /** Those that the new table does not accept, or has already. */
  readonly left: number;
  /** Columns with values that the new table does not have. */
  readonly lostColumns: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly is_required: boolean;
}

/** Copies the rows that fit from one table to another of our own making; both are quoted names with their schema. */
export async function copyRows(client: ClientBase, from: string, to: string): Promise<CopiedRows> {
  const old = (await columnsOf(client, from)).map(({ name }) => name);
  const common = (await columnsOf(client, to)).filter(({ name }) => old.includes(name));
  const names = common.map(({ name }) => escapeIdentifier(name));
  const { rowCount: taken } = await client.query(
    `INSERT INTO ${to} (${names.join(', ')})
     SELECT ${common.map(({ name, type }) => `${escapeIdentifier(name)}::${type}`).join(', ')}
       FROM ONLY ${from} WHERE ${await fits(client, to, common)}
     ON CONFLICT DO NOTHING`,
  );
  if (common.some(({ name }) => name === 'id')) await carryOn(client, from, to);
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ONLY ${from}`);
  const lost = old.filter((name) => !common.some((column) => column.name === name));
  return {
    taken: taken ?? 0,
    left: Number(rows[0]?.count) - (taken ?? 0),
    lostColumns: await withValues(client, from, lost),
  };
}

async function columnsOf(client: ClientBase, table: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS is_required
       FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      ORDER BY attnum`,
    [table],
  );
  return rows;
}

/** What the new table demands of a row, in the columns that both have. */
async function fits(client: ClientBase, to: string, common: readonly Column[]): Promise<string> {
  const { rows } = await client.query<{ expression: string }>(
    `SELECT pg_get_expr(conbin, conrelid) AS expression
       FROM pg_constraint
      WHERE conrelid = $1::regclass AND contype = 'c'
        AND ARRAY(SELECT attname::text FROM pg_attribute
                   WHERE attrelid = conrelid AND attnum = ANY (conkey)) <@ $2::text[]`,
    [to, common.map(({ name }) => name)],
  );
  return [
    'true',
    ...rows.map(({ expression }) => `(${expression}) IS NOT FALSE`),
    ...common
      .filter(({ is_required }) => is_required)
      .map(({ name }) => `${escapeIdentifier(name)} IS NOT NULL`),
  ].join(' AND ');
}

/** No id is given twice, not even one of a row that is gone. */
async function carryOn(client: ClientBase, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ old: string | null }>(
    "SELECT pg_get_serial_sequence($1, 'id') AS old",
    [from],
  );
  const last = rows[0]?.old ? `(SELECT last_value FROM ${rows[0].old})` : '1';
  await client.query(
    `SELECT setval(pg_get_serial_sequence($1, 'id'), greatest(max(id), ${last})) FROM ${to}`,
    [to],
  );
}

async function withValues(
  client: ClientBase,
  table: string,
  columns: readonly string[],
): Promise<string[]> {
  if (columns.length === 0) return [];
  const { rows } = await client.query<{ used: boolean[] }>(
    `SELECT ARRAY[${columns.map((name) => `count(${escapeIdentifier(name)}) > 0`).join(', ')}] AS used
       FROM ONLY ${table}`,
  );
  return columns.filter((_, index) => rows[0]?.used[index]);
}
