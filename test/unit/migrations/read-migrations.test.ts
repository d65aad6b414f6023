import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MigrationFilesError, readMigrations } from '../../../src/migrations/read-migrations.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pcache-migrate-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
}

function pair(name: string): Record<string, string> {
  return { [`${name}.up.sql`]: 'SELECT 1;', [`${name}.down.sql`]: 'SELECT 2;' };
}

async function problems(from = directory): Promise<readonly string[]> {
  const error = await readMigrations(from, {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MigrationFilesError);
  return (error as MigrationFilesError).problems;
}

test('migrations come in order, filled in and split', async () => {
  await write({
    ...pair('0002_b'),
    '0001_a.up.sql': '-- about\nCREATE TABLE {{schema}}.a ();',
    '0001_a.down.sql': 'DROP TABLE {{schema}}.a;',
    '.hidden': '',
  });
  const migrations = await readMigrations(directory, { schema: 's' });
  expect(migrations.map(({ name }) => name)).toEqual(['0001_a', '0002_b']);
  expect(migrations[0]?.up).toEqual({
    file: join(directory, '0001_a.up.sql'),
    sql: '-- about\nCREATE TABLE "s".a ();',
    statements: [{ text: 'CREATE TABLE "s".a ()', offset: 9 }],
    checksum: createHash('sha256').update('-- about\nCREATE TABLE {{schema}}.a ();').digest('hex'),
    inTransaction: true,
  });
  expect(migrations[0]?.down.sql).toBe('DROP TABLE "s".a;');
});

describe('refused, naming the file:', () => {
  test.each([
    ['a missing down', ['0001_a.up.sql'], ['0001_a.down.sql: is missing']],
    ['a missing up', ['0001_a.down.sql'], ['0001_a.up.sql: is missing']],
    [
      'the same number twice',
      [...Object.keys(pair('0001_a')), ...Object.keys(pair('0001_b'))],
      ['0001_a and 0001_b: have the same number'],
    ],
    [
      'a gap',
      [...Object.keys(pair('0001_a')), ...Object.keys(pair('0003_c'))],
      ['0003_c: number 0002 was expected'],
    ],
    ['a first number other than 1', Object.keys(pair('0002_b')), ['0002_b: number 0001']],
    [
      'misnamed files',
      [...Object.keys(pair('0001_a')), '0002_b.sql', '3_c.up.sql', 'README.md'],
      ['0002_b.sql: is not named', '3_c.up.sql: is not named', 'README.md: is not named'],
    ],
    ['an empty directory', [], ['there are none']],
  ])('%s', async (_, files, expected) => {
    await write(Object.fromEntries(files.map((name) => [name, 'SELECT 1;'])));
    expect(await problems()).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  test('a script without a statement', async () => {
    await write({ ...pair('0001_a'), '0001_a.down.sql': '-- nothing to undo\n' });
    expect(await problems()).toEqual([
      expect.stringContaining('0001_a.down.sql: has no statement'),
    ]);
  });

  test.each(['COMMIT', 'begin', 'START TRANSACTION', 'ROLLBACK TO s', 'END'])(
    '%s within a script',
    async (command) => {
      await write({ ...pair('0001_a'), '0001_a.up.sql': `SELECT 1;\n${command};\nSELECT 2;` });
      expect(await problems()).toEqual([expect.stringMatching(/0001_a\.up\.sql:2: .*transaction/)]);
    },
  );

  test('a directory that does not exist', async () => {
    await expect(readMigrations(join(directory, 'absent'), {})).rejects.toMatchObject({
      name: 'MigrationFilesError',
      problems: [expect.stringContaining('cannot be read')],
      remedy: 'Install pcache-migrate again.',
    });
  });
});
