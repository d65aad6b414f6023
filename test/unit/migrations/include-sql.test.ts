import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWithIncludes } from '../../../src/migrations/include-sql.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'include-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function migration(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

describe('a migration that includes another', () => {
  it('holds its text in the place of the line', async () => {
    await migration('0001_first.up.sql', 'CREATE TABLE one ();\n');
    await migration('0001_first.down.sql', 'DROP TABLE one;');
    const file = await migration(
      '0002_second.down.sql',
      'before;\n{{include 0001_first.up.sql}}\n{{include 0001_first.down.sql}}\nafter {{schema}};',
    );
    expect(await readWithIncludes(file)).toBe(
      'before;\nCREATE TABLE one ();\n\nDROP TABLE one;\nafter {{schema}};',
    );
  });

  it('takes dollars and backslashes as they are', async () => {
    await migration('0001_first.up.sql', 'SELECT $$ $1 $& \\1 $$;');
    const file = await migration('0002_second.up.sql', '{{include 0001_first.up.sql}}');
    expect(await readWithIncludes(file)).toBe('SELECT $$ $1 $& \\1 $$;');
  });

  it.each([
    [
      '0009_missing.up.sql',
      /^.*0002_second\.up\.sql:2: 0009_missing\.up\.sql cannot be included \(.*ENOENT/,
    ],
    ['../0001_first.up.sql', /only another migration of the same directory can/],
    ['/etc/passwd', /only another migration of the same directory can/],
    ['', /only another migration of the same directory can/],
    ['0003_nested.up.sql', /0003_nested\.up\.sql cannot be included: it includes others itself/],
  ])('fails with file, line and reason when it is: %s', async (name, reason) => {
    await migration('0003_nested.up.sql', '{{include 0001_first.up.sql}}');
    const file = await migration('0002_second.up.sql', `SELECT 1;\n{{include ${name}}}`);
    await expect(readWithIncludes(file)).rejects.toThrow(reason);
    await expect(readWithIncludes(file)).rejects.toMatchObject({ name: 'IncludeError', line: 2 });
  });
});
