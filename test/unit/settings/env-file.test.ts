import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { envLine } from '../../../src/settings/env-line.js';
import { hostileName } from '../../harness/hostile-names.js';
import { seededRandom } from '../../harness/random.js';
import { problemsOf, resolvedOf, settingsOf } from './helpers.js';

const root = mkdtempSync(join(tmpdir(), 'pcache-env-file-'));
afterAll(() => rmSync(root, { recursive: true }));

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(root, 'case-'));
});

function write(text: string, name = '.env') {
  writeFileSync(join(cwd, name), text);
}

test('the environment wins over the .env file', () => {
  write('DB_HOST=from-file\nDB_PORT=6432\n');
  const env = { DB_HOST: 'from-environment' };
  expect(settingsOf(env, { cwd }).work).toMatchObject({ host: 'from-environment', port: 6432 });
  expect(resolvedOf(env, 'DB_HOST', { cwd })).toEqual(['from-environment', 'environment']);
  expect(resolvedOf(env, 'DB_PORT', { cwd })).toEqual(['6432', '.env']);
  expect(process.env.DB_PORT).toBeUndefined();
});

test('an empty environment variable does not override the .env file', () => {
  write('DB_HOST=from-file\n');
  expect(settingsOf({ DB_HOST: '' }, { cwd }).work.host).toBe('from-file');
});

test('comments, quotes, export, CRLF and a byte order mark', () => {
  write(
    '\uFEFFexport DB_HOST="quoted host"\r\n# DB_PORT=1\r\nDB_PASSWORD=\'a # b\'\r\nPGPASSFILE=pass # why\r\n'.replace(
      'quoted host',
      'quoted-host',
    ),
  );
  expect(settingsOf({}, { cwd }).work).toMatchObject({
    host: 'quoted-host',
    port: 5432,
    password: 'a # b',
    passwordFile: join(cwd, 'pass'),
  });
});

test('without a .env file there is nothing to report', () => {
  expect(problemsOf({}, { cwd })).toEqual([]);
});

test('--env-file is read instead of .env, relative to the working directory', () => {
  write('DB_HOST=default-file\n');
  write('DB_PORT=6432\n', 'production.env');
  const options = { cwd, envFile: 'production.env' };
  expect(settingsOf({}, options).work).toMatchObject({ host: 'localhost', port: 6432 });
  expect(resolvedOf({}, 'DB_PORT', options)).toEqual(['6432', 'production.env']);
});

test('a mistake in the file is reported with the name of the file', () => {
  write('DB_PORT=abc\nPCACHE_SCHEM=x\n');
  expect(problemsOf({}, { cwd }).map(({ message }) => message)).toEqual([
    'is not a variable of pcache-migrate (.env)',
    'the port "abc" (.env) is not a whole number',
  ]);
});

test('an --env-file that is missing is a problem', () => {
  expect(problemsOf({}, { cwd, envFile: 'missing.env' })).toMatchObject([
    { variable: '--env-file', message: 'there is no file missing.env' },
  ]);
});

test.each([
  ['.env', undefined, '.env'],
  ['given.env', 'given.env', '--env-file'],
])('%s that can not be read is a problem', (name, envFile, variable) => {
  mkdirSync(join(cwd, name));
  expect(problemsOf({}, { cwd, ...(envFile && { envFile }) })).toMatchObject([
    { variable, message: `${name} can't be read (EISDIR)` },
  ]);
});

test.each(['a#b', 'a#', 'a#b # why', '"a"b#c'])(
  'a value that the file may go on with after a # is refused: %s',
  (written) => {
    write(`# DB_NAME=a#b\nexport DB_NAME = ${written}\nOTHERS=a#b\nDB_PASSWORD=\n`);
    expect(problemsOf({ DB_NAME: undefined }, { cwd })).toEqual([
      {
        variable: 'DB_NAME',
        message: 'ends in .env before a #, which may be part of the value',
        remedy: expect.stringContaining("DB_NAME='…'"),
      },
    ]);
  },
);

test('a line that is shown for the file is read from it to the letter', () => {
  const random = seededRandom();
  for (let draw = 0; draw < 100; draw += 1) {
    const name = hostileName(random);
    // There are three kinds of quotes; a name that has all of them can only be set in the environment.
    if (["'", '"', '`'].every((mark) => name.includes(mark))) continue;
    write(`${envLine('DB_NAME', name)}\nDB_PORT=6432\n`);
    const { work } = settingsOf({ DB_NAME: undefined }, { cwd });
    expect(work, `PCACHE_TEST_SEED=${random.seed}`).toMatchObject({ database: name, port: 6432 });
  }
});

test('such a value does no harm where the environment has another', () => {
  write('DB_NAME=a#b\n');
  expect(settingsOf({ DB_NAME: 'c' }, { cwd }).work.database).toBe('c');
});

test.each([
  ['a #b', 'a'],
  ["'a#b'", 'a#b'],
  ['"a#b" # why', 'a#b'],
  ['`a#"\'`', 'a#"\''],
  ["'a'#why", 'a'],
])('written %s, it is %s', (written, value) => {
  write(`DB_NAME=${written}\n`);
  expect(settingsOf({ DB_NAME: undefined }, { cwd }).work.database).toBe(value);
});
