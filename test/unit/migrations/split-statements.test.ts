import { describe, expect, test } from 'vitest';
import { lineAt, splitStatements } from '../../../src/migrations/split-statements.js';

function texts(sql: string): string[] {
  return splitStatements(sql).map(({ text }) => text);
}

test('statements are split at their semicolons, comments around them left out', () => {
  expect(texts('-- a; b\nSELECT 1;\n/* c; /* d; */ e; */ SELECT 2 ;;\n SELECT 3 -- end')).toEqual([
    'SELECT 1',
    'SELECT 2',
    'SELECT 3 -- end',
  ]);
});

test('each knows where it starts', () => {
  const sql = '-- first\n\nSELECT 1;\n  SELECT\n 2;';
  expect(splitStatements(sql).map(({ offset }) => lineAt(sql, offset))).toEqual([3, 4]);
});

describe('a statement does not end at a semicolon in', () => {
  test.each([
    ['a string', "SELECT 'a; '' b;'"],
    ['an escape string', "SELECT E'it\\'s; fine', e'\\\\'"],
    ['a quoted identifier', 'SELECT 1 AS "a; "" b;"'],
    ['a dollar quote', 'DO $$ BEGIN; -- Down Migration\n END; $$'],
    ['a tagged dollar quote', 'DO $a$ SELECT $$;$$; $b$;$b$; $a$'],
    ['parentheses', 'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)'],
    [
      'a SQL body',
      'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END',
    ],
  ])('%s', (_, statement) => {
    expect(texts(`${statement}; SELECT 'next'`)).toEqual([statement, "SELECT 'next'"]);
  });
});

test('neither a dollar within a word nor a parameter starts a quote', () => {
  expect(texts('SELECT a$$b; SELECT $1; SELECT c$$d')).toEqual([
    'SELECT a$$b',
    'SELECT $1',
    'SELECT c$$d',
  ]);
});

test('a word begin outside a routine opens no body', () => {
  expect(texts('SELECT 1 AS begin; CREATE TABLE begin (); SELECT 2')).toHaveLength(3);
});
