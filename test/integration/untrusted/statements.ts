import { type Attack, harmless, inRole, refused } from './attack.js';

// What PostgreSQL says about it depends on where the text is put: between parentheses, or alone.
const severalStatements =
  /42601: syntax error at or near ";"$|42P11: cannot open multi-query plan as cursor$/;

const noStatement =
  /42601: syntax error at or near "\)"$|42P11: cannot open multi-query plan as cursor$/;

const strike = 'DELETE FROM attack.witness';

// A second statement in the text, behind everything that may be mistaken for the end of the first.
const secondStatements: readonly Attack[] = [
  refused('a second statement', `SELECT 1; ${strike}`, severalStatements),
  refused('a second SELECT', 'SELECT 1; SELECT 2', severalStatements),
  refused(
    'a second statement behind a comment with a semicolon',
    `SELECT 1 /* ; */; ${strike}`,
    severalStatements,
  ),
  refused(
    'a second statement behind a nested comment',
    `SELECT 1 /* /* */ */; ${strike}`,
    severalStatements,
  ),
  refused(
    'a second statement behind the end of a line comment',
    `SELECT 1 -- one\n; ${strike}`,
    severalStatements,
  ),
  refused(
    'a second statement behind a carriage return that ends a line comment',
    `SELECT 1 -- one\r; ${strike}`,
    severalStatements,
  ),
  refused(
    'a second statement behind a backslash that escapes nothing',
    `SELECT length('\\'); ${strike}; --')`,
    severalStatements,
  ),
  refused(
    'a second statement behind a dollar quote',
    `SELECT length($a$ $$ ; $a$); ${strike}`,
    severalStatements,
  ),
  refused(
    'a closing parenthesis and a second statement',
    `SELECT 1) AS x; ${strike}; SELECT (1`,
    /42601: /,
  ),
  refused(
    'a closing parenthesis and a comment that swallows what follows',
    `SELECT 1) AS fragment; ${strike} --`,
    /42601: /,
  ),
  refused(
    'two closing parentheses and a second statement',
    `SELECT 1) AS a LIMIT 0)); ${strike}; SELECT ((SELECT * FROM (SELECT 1`,
    /42(601|P11): /,
  ),
  refused(
    'a parenthesis that closes ours, and a comma',
    'SELECT 1) AS a (key), (SELECT 2',
    /42(601|702|P10): /,
  ),
  refused('parentheses balanced by quotes alone', "SELECT '(' ) AS a, (SELECT ')'", /42601: /),
  refused(
    'a UNION with what stands outside, for NULL among the keys',
    'SELECT 1) AS a (key) UNION ALL SELECT key FROM (SELECT NULL::integer AS key',
    /42601: /,
  ),
  refused(
    'a UNION with what stands outside, for duplicates among the keys',
    'SELECT 1 AS key) AS fragment UNION ALL SELECT key FROM (SELECT 1 AS key',
    /42601: /,
  ),
  refused('a condition of its own outside', 'SELECT 1 AS key) AS a WHERE (true', /42601: /),
  refused('an unclosed comment', 'SELECT 1 /* and so on', /42601: unterminated \/\* comment/),
  refused('an unclosed literal', "SELECT '1", /42601: unterminated quoted string/),
  refused('an unclosed identifier', 'SELECT 1 AS "a', /42601: unterminated quoted identifier/),
  refused('an unclosed dollar quote', 'SELECT $x$1', /42601: unterminated dollar-quoted string/),
  refused('a psql command', 'SELECT 1 \\; SELECT 2 \\gexec', '42601: syntax error at or near "\\"'),
];

// What looks like a second statement but is not: refused for what it does, never for its words.
const onlyWords: readonly Attack[] = [
  harmless('a write in a literal', `SELECT length('; ${strike}; --')`, [strike.length + 6]),
  harmless('a write in a dollar quote', `SELECT length($$); ${strike}; --$$)`, [strike.length + 7]),
  harmless(
    'a write in an escape string, behind an escaped quote',
    `SELECT length(E'\\'); ${strike}; --')`,
    [strike.length + 8],
  ),
  harmless('a write in a comment', `SELECT 1 /* ; ${strike}; -- */`),
  harmless('a write in a comment within a comment', `SELECT 1 /* /* */ ; ${strike}; -- */`),
  harmless('a write behind -- at the end', `SELECT 1 --; ${strike}`),
  harmless(
    'a write behind -- and a line separator that ends no line',
    `SELECT 1 --\u2028; ${strike}`,
  ),
  harmless('a column name with a quote and a write', `SELECT 1 AS "x"") AS y; ${strike}; --"`),
  harmless(
    'a column name with a quote in Unicode escapes',
    `SELECT 1 AS U&"x\\0022); ${strike}; --"`,
  ),
  harmless('a trailing semicolon', 'SELECT 1;'),
];

const oneSelect: readonly Attack[] = [
  harmless('VALUES', 'VALUES (1), (2)', [1, 2]),
  harmless('TABLE', 'TABLE attack.numbers', [1, 2]),
  harmless('UNION', 'SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 1', [1, 2]),
  harmless('WITH', 'WITH a AS (SELECT 1) SELECT * FROM a'),
  harmless('parentheses', '((SELECT 1))'),
  harmless('ORDER BY and LIMIT', 'SELECT id FROM pois ORDER BY id DESC LIMIT 2', [2999, 3000]),
];

const notOneSelect: readonly Attack[] = [
  ...[
    'INSERT INTO attack.witness VALUES (1) RETURNING 1',
    'UPDATE attack.witness SET note = 1 RETURNING 1',
    'DELETE FROM attack.witness RETURNING 1',
    'TRUNCATE attack.witness',
    'DROP TABLE attack.witness',
    'CREATE TABLE attack.loot AS SELECT 1',
    'EXPLAIN SELECT 1',
    'EXPLAIN ANALYZE SELECT 1',
    'SHOW work_mem',
    'SET work_mem = 64',
    'RESET ALL',
    'COPY attack.witness TO STDOUT',
    "COPY attack.witness FROM PROGRAM 'echo 1'",
    'DO $$ BEGIN END $$',
    'CALL attack.commit()',
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT a',
    "PREPARE TRANSACTION 'a'",
    'PREPARE a AS SELECT 1',
    'EXECUTE a',
    'DEALLOCATE ALL',
    'DECLARE a CURSOR FOR SELECT 1',
    'FETCH ALL FROM a',
    'CLOSE ALL',
    'LOCK TABLE attack.witness',
    'VACUUM',
    'LISTEN attack',
    'NOTIFY attack',
    'DISCARD ALL',
    "LOAD 'plpgsql'",
    'CHECKPOINT',
  ].map((statement) =>
    refused(
      statement,
      statement,
      /42601: syntax error at or near ".+"$|42P11: cannot open [A-Z ]+ query as cursor$/,
    ),
  ),
  refused(
    'a data-modifying CTE',
    'WITH gone AS (DELETE FROM attack.witness RETURNING 1) SELECT 1 FROM gone',
    '0A000: WITH clause containing a data-modifying statement must be at the top level',
  ),
  refused(
    'SELECT INTO',
    'SELECT 1 AS id INTO attack.loot',
    '42601: SELECT ... INTO is not allowed here',
  ),
  refused('an empty text', '', noStatement),
  refused('blanks alone', ' \n\t ', noStatement),
  refused('a semicolon alone', ';', noStatement),
  refused('a comment alone', '-- nothing', noStatement),
  refused('a block comment alone', '/* nothing */', noStatement),
];

// What surrounds the fragment is none of its business.
const reachingOut: readonly Attack[] = [
  refused('a parameter', 'SELECT $1', '42P02: there is no parameter $1'),
  refused('a variable of the processor', 'SELECT v_keys', '42703: column "v_keys" does not exist'),
  refused('a column of the query around it', 'SELECT key', '42703: column "key" does not exist'),
  refused(
    'a table of the query around it',
    'SELECT fragment.key',
    '42P01: missing FROM-clause entry for table "fragment"',
  ),
  inRole(
    /42501: permission denied for table/,
    harmless(
      'reading the results of others',
      "SELECT unnest(partition_keys) FROM my_cache_cache_zipcode WHERE query_hash = 'first'",
      [4711],
    ),
  ),
  inRole(
    /42501: permission denied for table/,
    harmless(
      'reading the queue',
      "SELECT count(*)::integer FROM partitioncache_queue_query_fragment_queue WHERE query = 'nobody has this'",
      [0],
    ),
  ),
  refused(
    'reading passwords',
    "SELECT count(*)::integer FROM pg_authid WHERE rolpassword <> ''",
    '42501: permission denied for table pg_authid',
  ),
  refused(
    'reading a file',
    "SELECT length(pg_read_file('postgresql.conf'))",
    '42501: permission denied for function pg_read_file',
  ),
  refused(
    'listing a directory',
    "SELECT count(*)::integer FROM pg_ls_dir('.')",
    '42501: permission denied for function pg_ls_dir',
  ),
];

export const statements: readonly Attack[] = [
  ...secondStatements,
  ...onlyWords,
  ...oneSelect,
  ...notOneSelect,
  ...reachingOut,
];
