import { describe, expect, test } from 'vitest';
import { PlaceholderError, renderSql } from '../../../src/migrations/render-sql.js';

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
    ['its last part', '{{queue:name}}', '"q_original_query_queue"'],
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
    ['an unknown form', '\n{{schema:ident}}', /:2: unknown form.*:literal, :name, :regclass/],
    ['spaces within', '{{ schema }}', /:1: "\{\{" does not begin a placeholder/],
    ['a missing brace', '{{schema}', /:1: "\{\{" does not begin a placeholder/],
  ])('%s', (_, text, message) => {
    expect(() => render(text)).toThrow(PlaceholderError);
    expect(() => render(text)).toThrow(message);
  });

  test.each([
    ['a dollar quote', 'a$$b'],
    ['a tagged dollar quote', 'a$body$b'],
    ['a line break', 'a\nb'],
    ['a comment mark', 'a*/b'],
  ])('a value with %s', (_, value) => {
    expect(() => renderSql('{{v}}', { v: value }, 'f.sql')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^f\.sql:1: /),
        remedy: expect.stringContaining('Choose another'),
      }),
    );
    expect(() => renderSql('{{v:literal}}', { v: ['s', value] }, 'f.sql')).toThrow(
      PlaceholderError,
    );
  });

  test('an identifier that PostgreSQL would truncate', () => {
    const name = 'ä'.repeat(32);
    expect(() => renderSql('{{v}}', { v: ['s', name] }, 'f.sql')).toThrow(/longer than 63 bytes/);
    expect(renderSql('{{v}}', { v: 'a'.repeat(63) }, 'f.sql')).toHaveLength(65);
    expect(renderSql('{{v:literal}}', { v: name }, 'f.sql')).toBe(`'${name}'`);
  });
});
