import type { Random } from './random.js';

/** A SELECT of one column of the table `samples` (see random-samples.ts): what a client's fragment may look like. */
export function randomQuery(column: string, random: Random): string {
  const shape = random.pick(random.chance(0.25) ? combined : simple);
  return shape(column, random);
}

type Shape = (column: string, random: Random) => string;

// Each has the type of the column and does not depend on the order in which rows are found.
const simple: readonly Shape[] = [
  (column, random) => `SELECT ${column} FROM samples WHERE ${condition(column, random)}`,
  (column, random) =>
    `SELECT DISTINCT ${column} FROM samples WHERE ${condition(column, random)} ORDER BY ${column} DESC`,
  (column, random) =>
    `SELECT ${column} FROM samples WHERE ${condition(column, random)} GROUP BY ${column} HAVING count(*) > ${random.integer(0, 2)}`,
  (column, random) =>
    `SELECT ${column} FROM samples WHERE ${condition(column, random)} ORDER BY id LIMIT ${random.integer(0, 40)} OFFSET ${random.integer(0, 20)}`,
  (column, random) =>
    `WITH chosen AS (SELECT id FROM samples WHERE ${condition(column, random)}) SELECT s.${column} FROM samples AS s JOIN chosen USING (id)`,
  (column, random) =>
    `SELECT other.${column} FROM samples AS one LEFT JOIN (SELECT * FROM samples WHERE ${condition(column, random)}) AS other ON other.id = one.id + 1`,
  (column, random) =>
    `SELECT CASE WHEN ${condition(column, random)} THEN ${column} END FROM samples`,
  (column, random) =>
    `SELECT unnest(ARRAY[${column}, NULL, ${column}]) FROM samples WHERE ${condition(column, random)}`,
  (column, random) =>
    `SELECT lag(${column}) OVER (ORDER BY id) FROM samples WHERE ${condition(column, random)}`,
  (column, random) =>
    `SELECT (array_agg(${column} ORDER BY id))[1] FROM samples WHERE ${condition(column, random)} GROUP BY part`,
];

const combined: readonly Shape[] = ['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'].map(
  (operator) => (column, random) =>
    `(${random.pick(simple)(column, random)}) ${operator} (${random.pick(simple)(column, random)})`,
);

function condition(column: string, random: Random): string {
  if (random.chance(0.2)) {
    const operator = random.pick(['AND', 'OR', 'AND NOT']);
    return `(${condition(column, random)} ${operator} ${condition(column, random)})`;
  }
  const divisor = random.integer(2, 30);
  return random.pick([
    `id % ${divisor} = ${random.integer(0, divisor)}`,
    `id BETWEEN ${random.integer(1, 300)} AND ${random.integer(1, 300)}`,
    `part = ${random.integer(0, 9)}`,
    `part IN (${random.integer(0, 9)}, ${random.integer(0, 9)})`,
    `${column} IS NOT NULL`,
    'true',
    'false',
  ]);
}
