import type pg from 'pg';
import type { Random } from './random.js';

export interface SampleType {
  readonly column: string;
  /** The column's type. */
  readonly type: string;
  /** The clients' datatype of such keys. */
  readonly datatype: string;
  /** A value in PostgreSQL's notation. */
  readonly value: (random: Random) => string;
}

const ROWS = 300;

/** Values that cause trouble with PostgreSQL's types, and ordinary ones. */
export const sampleTypes: readonly SampleType[] = [
  sampleType('smallint', 'integer', ['-32768', '32767', '0', '-1'], (random) =>
    String(random.integer(-300, 300)),
  ),
  sampleType('integer', 'integer', ['-2147483648', '2147483647', '0', '-1'], (random) =>
    String(random.integer(-100_000, 100_000)),
  ),
  sampleType(
    'bigint',
    'integer',
    ['-9223372036854775808', '9223372036854775807', '9007199254740993', '2147483648'],
    (random) => String(random.integer(-5_000_000_000, 5_000_000_000)),
  ),
  sampleType('numeric', 'float', ['NaN', '1.0', '1.00', '0', '-0.5', '1e-30'], (random) =>
    [random.pick(['', '-']), digits(random, 60), '.', digits(random, 40)].join(''),
  ),
  sampleType(
    'real',
    'float',
    ['NaN', 'Infinity', '-Infinity', '-0', '0', '0.1', '16777217', '1e-45', '3.4028235e38'],
    (random) => String(Math.fround(random.integer(-1_000_000, 1_000_000) / 7)),
  ),
  sampleType(
    'double precision',
    'float',
    // The last two pairs differ in the 16th and 17th digit.
    [
      ...['NaN', 'Infinity', '-Infinity', '-0', '0', '1e308', '5e-324'],
      ...['0.1', '0.10000000000000002', '0.3', '0.30000000000000004'],
    ],
    (random) => String(random.integer(-1_000_000, 1_000_000) / 7),
  ),
  sampleType('text', 'text', texts(), randomText),
  sampleType('varchar(20)', 'text', texts(), randomText),
  sampleType('char(6)', 'text', texts(), randomText),
  sampleType('uuid', 'text', ['00000000-0000-0000-0000-000000000000'], randomUuid),
  sampleType('date', 'timestamp', ['infinity', '-infinity', '0044-03-15 BC'], (random) =>
    randomDate(random),
  ),
  sampleType('timestamp', 'timestamp', instants(), randomInstant),
  sampleType('timestamptz', 'timestamp', instants(), (random) => `${randomInstant(random)}+02`),
];

/** Keys for a bit cache. Most keys fit its first 1000 bits, so that it has to grow several times. */
export const bitTypes: readonly SampleType[] = [
  sampleType('smallint', 'integer', ['0', '999', '1000', '5000'], bitKey(2_000)),
  sampleType('integer', 'integer', ['0', '999', '1000', '20000'], bitKey(9_000)),
  sampleType('bigint', 'integer', ['0', '999', '1000', '30000'], bitKey(15_000)),
];

function bitKey(rareMaximum: number) {
  return (random: Random) => String(random.integer(0, random.chance(0.05) ? rareMaximum : 999));
}

function sampleType(
  type: string,
  datatype: string,
  edges: readonly string[],
  ordinary: (random: Random) => string,
): SampleType {
  return {
    column: `k_${type.replace(/\W.*/, '')}`,
    type,
    datatype,
    value: (random) => (random.chance(0.2) ? random.pick(edges) : ordinary(random)),
  };
}

/** The table `samples` (id, part, one column per type), which everyone may read. */
export async function createSamples(
  owner: pg.Client,
  types: readonly SampleType[],
  random: Random,
): Promise<void> {
  const columns = types.map(({ column, type }) => `${column} ${type}`);
  await owner.query(`CREATE TABLE samples (id integer, part integer, ${columns.join(', ')})`);
  await owner.query(
    `INSERT INTO samples SELECT id, id % 10, ${types.map(({ type }, i) => `($${i + 1}::text[])[id]::${type}`).join(', ')}
       FROM generate_series(1, ${ROWS}) AS id`,
    types.map((type) => columnOf(type, random)),
  );
  await owner.query('GRANT SELECT ON samples TO PUBLIC');
}

function columnOf({ value }: SampleType, random: Random): (string | null)[] {
  const few = Array.from({ length: ROWS / 3 }, () => value(random));
  return Array.from({ length: ROWS }, () => (random.chance(0.1) ? null : random.pick(few)));
}

function digits(random: Random, most: number): string {
  return Array.from({ length: random.integer(1, most) }, () => random.integer(0, 9)).join('');
}

function texts(): string[] {
  return [
    ...['', ' ', 'a', 'a ', ' a', 'A', 'NULL', 'null', '{}', '{a,b}', 'a,b', '"a"', "O'Brien"],
    ...['\\', 'a\\b', "\\'", '$1', '$$', '--', '/*', '%', '_', 'tab\there', 'two\nlines'],
    // The same letter composed and decomposed is two strings.
    ...['\u00e9', 'e\u0301', '日本語', '😀', '\u00a0', 'ß', 'x'.repeat(3000)],
  ];
}

function randomText(random: Random): string {
  const letters = ['a', 'b', 'é', ' ', "'", '\\', '"', '\u{1f600}', '1', ',', '{', '}'];
  return Array.from({ length: random.integer(0, 8) }, () => random.pick(letters)).join('');
}

function randomUuid(random: Random): string {
  return Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join('');
}

function randomDate(random: Random): string {
  return [random.integer(1000, 3000), random.integer(1, 12), random.integer(1, 28)].join('-');
}

function instants(): string[] {
  return ['infinity', '-infinity', '4700-01-01 12:00 BC', '294276-12-31 23:59:59.999999'];
}

function randomInstant(random: Random): string {
  return `${randomDate(random)} ${random.integer(0, 23)}:59:59.${digits(random, 6)}`;
}
