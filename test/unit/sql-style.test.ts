import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { styleProblems } from '../harness/sql-style.js';

const FOLDERS = ['migrations', 'cron-migrations', 'routines', 'bench'];

function sqlFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .map((file) => join(folder, file));
}

it.each(FOLDERS)('the SQL in %s keeps to the style', (folder) => {
  const files = sqlFiles(folder);
  expect(files.length).toBeGreaterThan(5);
  expect(files.flatMap((file) => styleProblems(file, readFileSync(file, 'utf8')))).toEqual([]);
});

describe('the style', () => {
  const create = 'CREATE OR REPLACE FUNCTION {{schema}}.f(p_a text) RETURNS text …;\n';
  const comment = "COMMENT ON FUNCTION {{schema}}.f(text) IS 'f';\n";

  it('allows 100 characters a line, and not 120', () => {
    expect(styleProblems('f.sql', `-- ${'é'.repeat(97)}\n`)).toEqual([]);
    expect(styleProblems('f.sql', `SELECT 1;\n-- ${'x'.repeat(117)}\n`)).toEqual([
      'f.sql:2: 120 characters; at most 100 are allowed.',
    ]);
  });

  it('repeats parameters only of a name that stands for several functions', () => {
    expect(styleProblems('f.sql', create + comment)).toEqual([
      'f.sql: the parameters of f are repeated, though its name says enough.',
    ]);
    expect(styleProblems('f.sql', create + create + comment)).toEqual([]);
  });

  it.each([
    'DROP FUNCTION {{client_schema}}.f;',
    'DO $$\nBEGIN DROP FUNCTION IF EXISTS\n  {{client_schema}}.f; END $$',
    'DROP AGGREGATE {{client_schema}}.f;',
    'ALTER FUNCTION {{client_schema}}.f OWNER TO {{cron_role}};',
    'REVOKE ALL ON FUNCTION {{client_schema}}.f FROM PUBLIC;',
    "COMMENT ON ROUTINE {{client_schema}}.f IS 'f';",
  ])('wants the parameters of what clients may overload: %j', (text) => {
    expect(styleProblems('f.sql', text)).toEqual([
      expect.stringMatching(/^f\.sql:[12]: f has no parameters, though clients may overload it\.$/),
    ]);
    expect(styleProblems('f.sql', text.replace('.f', '.f(text)'))).toEqual([]);
  });

  it.each([
    ["DO $do$\nBEGIN\n  EXECUTE 'DROP TABLE {{schema}}.t';\nEND $do$", 3, 'in a string'],
    ['SELECT 1;\n-- of {{schema}}', 2, 'in a string, a quoted name or a comment'],
  ])('allows a placeholder only where its quotes count: %j', (text, line, problem) => {
    expect(styleProblems('f.sql', text)).toEqual([
      expect.stringMatching(new RegExp(`^f\\.sql:${line}: a placeholder stands ${problem}`)),
    ]);
  });

  it.each([
    ['SELECT 1;\nSELECT format({{schema:literal}}, 1)', 2],
    ["DO $$\nBEGIN\n  EXECUTE pg_catalog.FORMAT(\n    $f$DROP {{t}} %I$f$, 'x');\nEND $$", 4],
  ])('allows no placeholder as the pattern of format(): %j', (text, line) => {
    expect(styleProblems('f.sql', text)).toEqual([
      `f.sql:${line}: a placeholder is the pattern of format(), or in it.`,
    ]);
    expect(styleProblems('f.sql', "SELECT format('%I', {{t:literal}})")).toEqual([]);
  });

  it("allows no backslash in '…'", () => {
    expect(styleProblems('f.sql', "DO $$\nSELECT '\\n'\n$$")).toEqual([
      "f.sql:2: a backslash in '…'; write E'…', or a bracket expression.",
    ]);
    expect(styleProblems('f.sql', "SELECT E'\\n', 1 AS \"\\\" -- '\\n'")).toEqual([]);
  });
});
