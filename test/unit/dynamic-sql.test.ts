import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DynamicSql, dynamicSqlOf, interpolationsOf } from '../harness/dynamic-sql.js';
import { REVIEWED_SQL, REVIEWED_TEMPLATES } from './dynamic-sql-reviewed.js';

// SQL is put together from names by %I, from literals by %L, and gets its values by USING. Whatever else becomes part
// of a statement stands on a list, with the reason why nobody's text can get there.

describe('the SQL of this package', () => {
  it('executes nothing that was put together in another way and not reviewed', () => {
    const found = ['routines', 'migrations', 'cron-migrations']
      .flatMap(filesOf)
      .flatMap((file) => dynamicSqlOf(file, sourceOf(file)));
    expect(found.length).toBeGreaterThan(20);
    expect(digests(found)).toEqual(
      Object.fromEntries(REVIEWED_SQL.map(({ file, digest }) => [file, digest])),
    );
  });

  it('is written in TypeScript from quoted names alone, but for what was reviewed', () => {
    const found = filesOf('src').flatMap((file) =>
      interpolationsOf(readFileSync(file, 'utf8')).map((inserted) => `${file}: ${inserted}`),
    );
    expect([...new Set(found)].sort()).toEqual(
      REVIEWED_TEMPLATES.flatMap(({ file, inserted }) =>
        inserted.map((one) => `${file}: ${one}`),
      ).sort(),
    );
  });

  it('was reviewed for a reason', () => {
    for (const { reason } of [...REVIEWED_SQL, ...REVIEWED_TEMPLATES]) {
      expect(reason.length).toBeGreaterThan(20);
    }
  });
});

describe('dynamic SQL', () => {
  const kindsIn = (source: string) => dynamicSqlOf('x.sql', source).map(({ kinds }) => kinds);

  it.each([
    ["EXECUTE format('SELECT %s', p_what);", ['%s']],
    ["EXECUTE format('SELECT %1$s', p_what);", ['%s']],
    ["EXECUTE 'SELECT ' || p_what;", ['||']],
    ["EXECUTE format('SELECT FROM %I', p_prefix || '_queue') USING 1;", ['||']],
    ['OPEN v_cursor FOR EXECUTE p_query;', ['variable']],
    ['v_answer := {{schema}}.query_cron_link(p_query);', ['variable']],
  ])('is found in %s', (source, kinds) => {
    expect(kindsIn(source)).toEqual([kinds]);
  });

  it.each([
    "EXECUTE format('SELECT FROM %I WHERE a = %L', p_table, p_value);",
    "EXECUTE 'SELECT $1' USING p_a || p_b;",
    'GRANT EXECUTE ON FUNCTION {{schema}}.f TO {{cron_role}};',
    'CREATE TRIGGER t AFTER INSERT ON q EXECUTE FUNCTION f();',
    "-- EXECUTE format('SELECT %s', p_what);",
  ])('is not found in %s', (source) => {
    expect(kindsIn(source)).toEqual([]);
  });

  it('goes with what is assigned to its variables', () => {
    const source = (name: string) =>
      `v_query text := format('SELECT FROM %s', ${name}); BEGIN EXECUTE v_query; END`;
    expect(digests(dynamicSqlOf('x.sql', source('p_a')))).not.toEqual(
      digests(dynamicSqlOf('x.sql', source('p_b'))),
    );
  });

  it('is found in templates', () => {
    const template = (inserted: string) => `query(\`SELECT FROM \${${inserted}} WHERE x = $1\`)`;
    expect(interpolationsOf(template('table'))).toEqual(['table']);
    expect(interpolationsOf(template("ownName(settings, 'batch')"))).toEqual([]);
    expect(interpolationsOf(template('escapeIdentifier(table)'))).toEqual([]);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:sql|ts)$/.test(file))
    .map((file) => `${folder}/${file}`)
    .sort();
}

/** Of a migration, what is not a copy of a routine. */
function sourceOf(file: string): string {
  return readFileSync(file, 'utf8').replace(/^--! routine [\s\S]*?^--! end$/gm, '');
}

/** One for all of a file, so that a change of any of them is looked at again. */
function digests(found: readonly DynamicSql[]): Record<string, string> {
  const byFile = new Map<string, string[]>();
  for (const { file, statement } of found) {
    byFile.set(file, [...(byFile.get(file) ?? []), statement]);
  }
  return Object.fromEntries(
    [...byFile].map(([file, statements]) => [
      file,
      createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 12),
    ]),
  );
}
