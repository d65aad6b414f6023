import { describe, expect, it } from 'vitest';
import { definedObjects } from '../../../src/plan/defined-objects.js';

function brief(sql: string) {
  return definedObjects(sql).map(({ action, kind, schema, name, types }) => [
    action,
    kind,
    `${schema}|${name}`,
    types,
  ]);
}

describe('a statement', () => {
  it.each([
    [
      `-- a comment with CREATE FUNCTION a.b()
       create or replace function "S".f(p_a text, OUT p_b int, VARIADIC p_c numeric(10, 2)[] DEFAULT '{}', p_d "S"."T" = NULL, p_e "s".t) RETURNS void …`,
      [['create', 'routine', 'S|f', ['text', 'numeric[]', '"S"."T"', 's.t']]],
    ],
    ['CREATE PROCEDURE a.P() LANGUAGE sql AS $$ $$', [['create', 'routine', 'a|p', []]]],
    [
      'CREATE OR REPLACE VIEW "a b"."c""d" (x) AS SELECT 1',
      [['create', 'view', 'a b|c"d', undefined]],
    ],
    [
      'DROP FUNCTION IF EXISTS a.b, a.c(integer), a.d CASCADE',
      [
        ['drop', 'routine', 'a|b', undefined],
        ['drop', 'routine', 'a|c', ['integer']],
        ['drop', 'routine', 'a|d', undefined],
      ],
    ],
    ['DROP VIEW a.b;', [['drop', 'view', 'a|b', undefined]]],
    ['CREATE FUNCTION unqualified() RETURNS void', []],
    ['CREATE MATERIALIZED VIEW a.b AS SELECT 1', []],
    ['CREATE TABLE a.b (c text)', []],
    ['DO $$ BEGIN DROP FUNCTION a.b; END $$', []],
    ['', []],
  ])('%s', (sql, found) => {
    expect(brief(sql)).toEqual(found);
  });

  it('has the body as PostgreSQL keeps it', () => {
    const [found] = definedObjects(
      'CREATE FUNCTION a.b() RETURNS text AS $x$\n SELECT $$a$$ \n$x$;',
    );
    expect(found?.body).toBe('\n SELECT $$a$$ \n');
  });
});
