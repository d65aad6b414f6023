import { type Attack, harmless, refused } from './attack.js';

const notAKey = (type: string) =>
  `42804: the fragment returns ${type}, but the partition key holds integer`;

// Whichever is noticed first: that it is not a key, or that it cannot be distinguished from another.
const notComparable = (type: string) =>
  new RegExp(
    `${notAKey(type)}$|42883: could not identify an (equality|ordering) operator for type ${type}$`,
  );

const shapes: readonly Attack[] = [
  refused(
    'no column',
    'SELECT FROM pois',
    /42601: subquery must return (a|only one) column$|42P10: table "fragment" has 0 columns available but 1 columns specified$/,
  ),
  refused('two columns', 'SELECT 1, 2', '42601: subquery must return only one column'),
  refused('a star', 'SELECT * FROM pois', '42601: subquery must return only one column'),
  refused(
    'a row of a table',
    'SELECT pois FROM pois',
    /42804: the fragment returns (public\.)?pois, but the partition key holds integer$/,
  ),
  refused('a record', 'SELECT ROW(1, 2)', notAKey('record')),
  refused(
    'an array',
    'SELECT ARRAY[1]',
    /42804: the fragment returns (integer\[\], but the partition key holds integer|arrays, not keys)$/,
  ),
  refused('json', "SELECT '1'::json", notComparable('json')),
  refused('void', 'SELECT attack.nothing()', notComparable('void')),
  refused('an unknown literal', "SELECT '1'", notAKey('text')),
  refused('NULL without a type', 'SELECT NULL', notAKey('text')),
  refused('a cursor', "SELECT 'a'::refcursor", notComparable('refcursor')),
  harmless('NULL alone', 'SELECT NULL::integer', []),
  harmless('no row', 'SELECT 1 WHERE false', []),
];

const texts: readonly Attack[] = [
  refused(
    'the character NUL by chr',
    'SELECT length(chr(0))',
    /54000: null character not permitted/,
  ),
  refused(
    'the character NUL by an escape',
    "SELECT length(E'\\000')",
    '22021: invalid byte sequence for encoding "UTF8": 0x00',
  ),
  refused(
    'the character NUL by a Unicode escape',
    "SELECT length(U&'\\0000')",
    /42601: invalid Unicode escape value/,
  ),
  refused(
    'half a surrogate pair',
    "SELECT length(U&'\\D800')",
    /42601: invalid Unicode surrogate pair/,
  ),
  refused('a byte order mark', '\uFEFFSELECT 1', /42601: syntax error at or near /),
  refused('a blank that is none', 'SELECT\u00A01', /42(601|703): /),
  harmless(
    'right-to-left override and a zero-width blank',
    "SELECT length('\u202E; --\u200B\u{1F4A3}')",
    [7],
  ),
  harmless('a megabyte of comment', `SELECT 1 /* ${'x'.repeat(1_000_000)} */`),
  harmless(
    'a megabyte of SQL',
    `SELECT 1 WHERE 0 NOT IN (${Array.from({ length: 150_000 }, (_, i) => i + 1).join(',')})`,
  ),
  harmless('a column name that is cut off with a NOTICE', `SELECT 1 AS "${'x'.repeat(100)}"`),
  refused(
    'parentheses nested without end',
    `SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)}`,
    /(54001: stack depth limit exceeded|42601: memory exhausted at or near "\(")$/,
  ),
];

const sizes: readonly Attack[] = [
  {
    ...harmless('half a million keys', 'SELECT generate_series(1, 500000)'),
    keys: { count: 500_000 },
  },
  {
    ...refused(
      'one key of more than a gigabyte',
      "SELECT repeat('x', 1100000000)",
      '54000: requested length too large',
    ),
    key: 'label',
  },
  {
    ...refused(
      'keys of more than a gigabyte together',
      'SELECT (i || repeat(\'x\', 1000000)) COLLATE "C" FROM generate_series(1, 1100) AS i',
      /54000: array size exceeds the maximum allowed/,
    ),
    key: 'label',
    costly: true,
  },
];

const failures: readonly Attack[] = [
  refused('an integer overflow', 'SELECT 2147483647 + 1', '22003: integer out of range'),
  refused(
    'a bigint overflow',
    'SELECT 9223372036854775807 + id FROM pois',
    '22003: bigint out of range',
  ),
  refused('a division by zero', 'SELECT 1 / 0', '22012: division by zero'),
  refused(
    'a division by zero in the last row',
    'SELECT 1 / (id - 3000) FROM pois',
    '22012: division by zero',
  ),
  refused('endless recursion', 'SELECT attack.recurse()', '54001: stack depth limit exceeded'),
  refused('SQLSTATE 00000 on purpose', "SELECT attack.raise('00000')", 'P0001: on purpose'),
  refused('ASSERT', 'SELECT attack.assert()', 'P0004: on purpose'),
  refused(
    'an error with placeholders',
    "SELECT attack.raise('P0001', '%s %I $1 %')",
    'P0001: %s %I $1 %',
  ),
  refused('an error without a message', "SELECT attack.raise('P0001', '')", 'P0001: '),
  refused(
    'an error of a megabyte',
    "SELECT attack.raise('P0001', repeat('x', 1000000))",
    /P0001: x{100}/,
  ),
  // The codes the processor gives a meaning of its own, those that are no errors, and those of a lost connection.
  ...[
    'P0001',
    'P0002',
    'P0003',
    'P0004',
    'PCEVL',
    'PC001',
    '01000',
    '02000',
    '2D000',
    '25P02',
    '40000',
    '42804',
    '42P01',
    '42P07',
    '53100',
    '57P01',
    '57P05',
    '08006',
    'XX000',
    'XX001',
  ].map((code) =>
    refused(`SQLSTATE ${code} on purpose`, `SELECT attack.raise('${code}')`, `${code}: on purpose`),
  ),
];

const floods: readonly Attack[] = [
  harmless('100,000 notices', "SELECT attack.flood('notice')"),
  harmless('100,000 warnings', "SELECT attack.flood('warning')"),
  {
    ...harmless(
      '100,000 notices after it has asked for them',
      "SELECT attack.flood('notice') FROM set_config('client_min_messages', 'debug5', false)",
    ),
    mayInform: true,
  },
  { ...harmless('100,000 INFO messages', "SELECT attack.flood('info')"), mayInform: true },
];

export const results: readonly Attack[] = [...shapes, ...texts, ...sizes, ...failures, ...floods];
