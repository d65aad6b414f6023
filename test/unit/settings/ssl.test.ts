import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { problemsOf, settingsOf } from './helpers.js';

const cwd = mkdtempSync(join(tmpdir(), 'pcache-ssl-'));
afterAll(() => rmSync(cwd, { recursive: true }));
for (const name of ['ca', 'crt', 'key', 'other']) writeFileSync(join(cwd, name), '');
const ca = join(cwd, 'ca');
const cert = join(cwd, 'crt');
const key = join(cwd, 'key');

function home(files: string[]): string {
  const directory = mkdtempSync(join(cwd, 'home-'));
  mkdirSync(join(directory, '.postgresql'));
  for (const file of files) writeFileSync(join(directory, '.postgresql', file), '');
  return directory;
}

const ssl = (env: Record<string, string>) => settingsOf(env, { cwd }).work.ssl;

test('prefer is the default', () => {
  expect(ssl({})).toEqual({ mode: 'prefer' });
});

test.each(['disable', 'allow', 'prefer', 'require', 'verify-full'])('PGSSLMODE=%s', (mode) => {
  expect(ssl({ PGSSLMODE: mode })).toEqual({ mode });
});

test('files are relative to the working directory, and for every connection', () => {
  const env = { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: 'ca', PGSSLCERT: 'crt', PGSSLKEY: key };
  const expected = { mode: 'verify-ca', rootCert: ca, cert, key };
  const { work, cron, client } = settingsOf(env, { cwd });
  expect([work.ssl, cron.ssl, client.ssl]).toEqual([expected, expected, expected]);
});

test("the URI's parameters win, and those of DB_URL also if there is no other URI", () => {
  const { work, cron, client } = settingsOf(
    {
      PGSSLMODE: 'require',
      PGSSLROOTCERT: 'other',
      DB_URL: `postgresql:///?sslmode=verify-full&sslrootcert=${ca}`,
      PG_QUEUE_URL: 'postgresql:///?sslmode=disable',
    },
    { cwd },
  );
  expect([work.ssl, cron.ssl, client.ssl]).toEqual([
    { mode: 'verify-full', rootCert: ca },
    { mode: 'verify-full', rootCert: ca },
    { mode: 'disable' },
  ]);
});

test("libpq's default files are used where they are present", () => {
  const HOME = home(['root.crt', 'postgresql.crt', 'postgresql.key']);
  expect(ssl({ HOME, PGSSLMODE: 'verify-ca' })).toEqual({
    mode: 'verify-ca',
    rootCert: join(HOME, '.postgresql/root.crt'),
    cert: join(HOME, '.postgresql/postgresql.crt'),
    key: join(HOME, '.postgresql/postgresql.key'),
  });
  expect(ssl({ HOME, PGSSLROOTCERT: ca, PGSSLCERT: cert, PGSSLKEY: key })).toEqual({
    mode: 'prefer',
    rootCert: ca,
    cert,
    key,
  });
});

test('system stands for the authorities that Node trusts, and demands verify-full', () => {
  expect(ssl({ PGSSLROOTCERT: 'system' })).toEqual({ mode: 'verify-full' });
  expect(ssl({ PGSSLROOTCERT: 'system', PGSSLMODE: 'verify-full' })).toEqual({
    mode: 'verify-full',
  });
});

describe('problems', () => {
  test.each([
    [{ PGSSLMODE: 'on' }, 'PGSSLMODE', '"on" (environment) is unknown', 'disable, allow'],
    [{ PGSSLMODE: 'no-verify' }, 'PGSSLMODE', 'is unknown', 'Use require'],
    [{ DB_URL: 'postgresql:///?sslmode=on' }, 'DB_URL', '"on" (from DB_URL) is unknown', 'Use one'],
    [{ PGSSLROOTCERT: 'missing' }, 'PGSSLROOTCERT', "can't be read", 'PEM'],
    [{ PGSSLROOTCERT: cwd }, 'PGSSLROOTCERT', "can't be read", 'PEM'],
    [{ PGSSLCERT: 'missing', PGSSLKEY: key }, 'PGSSLCERT', "can't be read", 'PEM'],
    [{ PGSSLCERT: cert, PGSSLKEY: 'missing' }, 'PGSSLKEY', "can't be read", 'PEM'],
    [{ DB_URL: 'postgresql:///?sslrootcert=no' }, 'DB_URL', '"no" (from DB_URL) can', 'PEM'],
    [{ PGSSLMODE: 'verify-ca' }, 'PGSSLMODE', 'needs a file', 'PGSSLROOTCERT'],
    [{ PGSSLCERT: cert }, 'PGSSLKEY', 'is not set, but PGSSLCERT names', 'both or neither'],
    [{ PGSSLKEY: key }, 'PGSSLCERT', 'is not set, but PGSSLKEY names', 'both or neither'],
    [{ PGSSLROOTCERT: 'system', PGSSLMODE: 'require' }, 'PGSSLMODE', 'is too weak', 'verify-full'],
  ])('%j', (env, variable, message, remedy) => {
    expect(problemsOf(env, { cwd })).toEqual([
      {
        variable,
        message: expect.stringContaining(message),
        remedy: expect.stringContaining(remedy),
      },
    ]);
  });

  test('files are ignored without TLS', () => {
    expect(problemsOf({ PGSSLMODE: 'disable', PGSSLROOTCERT: 'missing' }, { cwd })).toEqual([]);
  });
});
