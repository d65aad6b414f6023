import { expect, test } from 'vitest';
import type { Migration } from '../../../src/migrations/read-migrations.js';
import { splitStatements } from '../../../src/migrations/split-statements.js';
import { createdObjects } from '../../../src/plan/created-objects.js';

function created(...scripts: readonly string[]): string[] {
  const migrations = scripts.map(
    (sql, index) =>
      ({
        name: `000${index + 1}`,
        up: { statements: splitStatements(sql) },
      }) as unknown as Migration,
  );
  return createdObjects(migrations).map(({ kind, schema, name, part, migration }) =>
    [migration, kind, `${schema}.${name}`, part].filter((word) => word !== undefined).join(' '),
  );
}

test('names what the statements create, with columns and triggers', () => {
  expect(
    created(
      `CREATE TABLE "a b".t (id serial PRIMARY KEY, "Odd" numeric(1, 2) DEFAULT f(1, 2), CHECK (id > 0));
       CREATE TYPE s.pair AS (one integer);
       CREATE CONSTRAINT TRIGGER seen AFTER INSERT ON "a b".t EXECUTE FUNCTION s.f();`,
      'CREATE FUNCTION s.f() RETURNS trigger AS $$ CREATE TABLE s.not_this (x int) $$; CREATE VIEW s.v AS SELECT 1;',
    ),
  ).toEqual([
    '0001 table a b.t',
    '0001 column a b.t id',
    '0001 column a b.t Odd',
    '0001 type s.pair',
    '0001 column s.pair one',
    '0001 trigger a b.t seen',
    '0002 routine s.f',
    '0002 view s.v',
  ]);
});

test('leaves out what a later migration drops', () => {
  expect(
    created(
      'CREATE TABLE s.t (id integer); CREATE TRIGGER x AFTER INSERT ON s.t EXECUTE FUNCTION s.f(); CREATE VIEW s.v AS SELECT 1;',
      'DROP TABLE IF EXISTS s.t; DROP VIEW s.v;',
    ),
  ).toEqual([]);
});

test('knows what gives an object its rights, comments and indexes, also after it was replaced', () => {
  const statements = [
    'CREATE TABLE s.t (id integer)',
    'CREATE TABLE s.u (id integer REFERENCES s.t)',
    'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'REVOKE ALL ON FUNCTION s.f FROM PUBLIC',
    'COMMENT ON COLUMN s.t.id IS $$of s.u$$',
    'CREATE INDEX i ON s.u (id)',
    'ALTER TABLE s.u ADD FOREIGN KEY (id) REFERENCES s.t',
    'GRANT SELECT ON s.t, "s".u TO r',
    'CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$ SELECT 2 $$',
    'INSERT INTO s.t VALUES (1)',
  ];
  const migration = { name: '0001', up: { statements: splitStatements(statements.join(';')) } };
  const found = createdObjects([migration as unknown as Migration]);
  const after = found
    .filter(({ part }) => part === undefined)
    .map((object) => [
      object.name,
      object.after.map((text) => statements.findIndex((one) => text.includes(one))),
    ]);
  expect(after).toEqual([
    ['t', [4, 7]],
    ['u', [5, 6, 7]],
    ['f', [3]],
  ]);
});
