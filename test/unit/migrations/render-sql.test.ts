import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { PlaceholderError, renderSql } from '../../../src/migrations/render-sql.js';
import { splitStatements } from '../../../src/migrations/split-statements.js';

const values = {
  schema: 'partitioncache',
  role: `o'brien "the" $1 role\\`,
  queue: ['My Schema', 'q_original_query_queue'],
} as const;

function render(text: string): string {
  return renderSql(text, values, 'migrations/0001_a.up.sql');
}

describe('a placeholder becomes', () => {
  test.each([
    ['a quoted identifier', '{{schema}}', '"partitioncache"'],
    ['a qualified identifier', '{{queue}}', '"My Schema"."q_original_query_queue"'],
    ['a literal', '{{schema:literal}}', `'partitioncache'`],
    ['a literal of the identifier', '{{queue:literal}}', `'"My Schema"."q_original_query_queue"'`],
    [
      'a table',
      '{{queue:regclass}}',
      `'"My Schema"."q_original_query_queue"'::pg_catalog.regclass`,
    ],
    ['an escaped identifier', '{{role}}', `"o'brien ""the"" $1 role\\"`],
    ['an escaped literal', '{{role:literal}}', ` E'o''brien "the" $1 role\\\\'`],
  ])('%s', (_, text, expected) => {
    expect(render(text)).toBe(expected);
  });
});

test('text without placeholders stays unchanged', () => {
  const text = "SELECT '$&', '{1,2}'::int[], '{\"a\": {}}'::jsonb; -- } }}";
  expect(render(text)).toBe(text);
});

describe('refused, with file and line:', () => {
  test.each([
    ['an unknown name', '\n\n{{scheme}}', /0001_a\.up\.sql:3: .*\{\{scheme}}.*queue, role, schema/],
    ['an inherited property', '{{constructor}}', /:1: unknown placeholder/],
    ['an unknown form', '\n{{schema:ident}}', /:2: unknown form.*:literal, :regclass/],
    ['spaces within', '{{ schema }}', /:1: "\{\{" does not begin a placeholder/],
    ['a missing brace', '{{schema}', /:1: "\{\{" does not begin a placeholder/],
  ])('%s', (_, text, message) => {
    expect(() => render(text)).toThrow(PlaceholderError);
    expect(() => render(text)).toThrow(message);
  });

  test.each([
    ['a string', "\nSELECT 'CREATE TABLE {{schema}}.t'"],
    ['a string with escapes', "\nSELECT E'\\'{{schema:literal}}'"],
    ['a second half of a string', "\nSELECT 'it''s {{schema}}'"],
    ['a quoted name', '\nSELECT 1 AS "{{schema}}"'],
    ['a comment', '\nSELECT 1 -- of {{schema}}'],
    ['a comment in a body', 'DO $$\n-- {{schema}}\n$$'],
    ['a comment block', '\nSELECT /* of {{schema}} */ 1'],
    ['a string in a body', "DO $$\nBEGIN EXECUTE 'DROP TABLE {{schema}}.t'; END $$"],
    ['a string in a body in a body', "DO $a$ SELECT $$\n'{{schema}}'$$ $a$"],
  ])('a placeholder in %s', (_, text) => {
    expect(() => render(text)).toThrow(PlaceholderError);
    expect(() => render(text)).toThrow(/:2: a placeholder stands in a string, a quoted name or a/);
  });

  test('a value with a zero byte', () => {
    expect(() => renderSql('{{v}}', { v: 'a\0b' }, 'f.sql')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^f\.sql:1: .*"a\\u0000b" contains a zero byte/),
        remedy: expect.stringContaining('Choose another'),
      }),
    );
  });

  test('an identifier that PostgreSQL would truncate', () => {
    const name = 'ä'.repeat(32);
    expect(() => renderSql('{{v}}', { v: ['s', name] }, 'f.sql')).toThrow(/longer than 63 bytes/);
    expect(renderSql('{{v}}', { v: 'a'.repeat(63) }, 'f.sql')).toHaveLength(65);
    expect(renderSql('{{v:literal}}', { v: name }, 'f.sql')).toBe(`'${name}'`);
  });
});

describe('a value is only that, whatever it contains:', () => {
  const schema = '{{role}} {{ $& $1 $$ $body1$ \' " \\ \n -- /* ; %I';
  const [identifier, literal] = [pg.escapeIdentifier(schema), pg.escapeLiteral(schema)];
  const render = (text: string) => renderSql(text, { ...values, schema }, 'f.sql');

  test('it is never rendered again, nor read as a pattern of String.replace', () => {
    expect(render('{{schema}} {{schema:literal}} {{role}}')).toBe(
      `${identifier} ${literal} ${pg.escapeIdentifier(values.role)}`,
    );
  });

  test('it does not end the statement', () => {
    const sql = render('DROP SCHEMA {{schema}}; DO $$ BEGIN PERFORM {{schema:literal}}; END $$; X');
    expect(splitStatements(sql).map(({ text }) => text)).toEqual([
      `DROP SCHEMA ${identifier}`,
      `DO $body2$ BEGIN PERFORM ${literal}; END $body2$`,
      'X',
    ]);
  });

  test('it ends neither a body nor the body around that', () => {
    expect(render('DO $do$ AS $body1$ {{schema}} $body1$ $do$')).toBe(
      `DO $do$ AS $body2$ ${identifier} $body2$ $do$`,
    );
  });

  test('a body that it leaves alone keeps its tag', () => {
    expect(render('DO $do$ {{schema}} $do$; DO $$ {{role}} $$')).toBe(
      `DO $do$ ${identifier} $do$; DO $$ ${pg.escapeIdentifier(values.role)} $$`,
    );
  });
});
