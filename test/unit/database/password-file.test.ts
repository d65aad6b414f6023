import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MissingPasswordError, requiredPassword } from '../../../src/database/password-file.js';

const directory = mkdtempSync(join(tmpdir(), 'pcache-passfile-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'pgpass');
const target = { host: 'db', port: 5432, database: 'app', user: 'migrator' };

function lookUp(text: string, changes: Partial<typeof target> = {}) {
  writeFileSync(file, text, { mode: 0o600 });
  return requiredPassword(file, { ...target, ...changes });
}

test.each([
  ['db:5432:app:migrator:secret'],
  ['*:*:*:*:secret'],
  ['# db:5432:app:migrator:comment\n\nnonsense\ndb:5432:app:migrator:secret\n'],
  [
    'other:5432:app:migrator:1\ndb:5433:app:migrator:2\ndb:5432:no:migrator:3\ndb:*:app:no:4\n*:*:*:*:secret',
  ],
  ['db:5432:app:migrator:secret\r\n*:*:*:*:later'],
])('%j', (text) => {
  expect(lookUp(text)).toBe('secret');
});

test('colons and backslashes are escaped by a backslash', () => {
  const text = String.raw`db:5432:a\:b:m\\r:p\:a\\ss:word`;
  expect(lookUp(text, { database: 'a:b', user: String.raw`m\r` })).toBe(String.raw`p:a\ss:word`);
});

test('IPv6 addresses are escaped, too', () => {
  expect(lookUp(String.raw`\:\:1:*:*:*:secret`, { host: '::1' })).toBe('secret');
});

test('a Unix socket matches localhost or its directory', () => {
  expect(lookUp('localhost:*:*:*:secret', { host: '/run/postgresql' })).toBe('secret');
  expect(lookUp('/run/postgresql:*:*:*:secret', { host: '/run/postgresql' })).toBe('secret');
});

test('no line that matches', () => {
  const failure = `the server asks for a password, none is set, and the password file ${file} has no line for this connection`;
  expect(() => lookUp('other:*:*:*:secret')).toThrow(new MissingPasswordError(failure));
  expect(() => lookUp('db:5432:app:migrator:')).toThrow(failure);
  expect(() => lookUp('')).toThrow(failure);
});

test('a file that others may read is ignored, as in libpq', () => {
  writeFileSync(file, '*:*:*:*:secret');
  chmodSync(file, 0o640);
  expect(() => requiredPassword(file, target)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/is ignored because others may read it$/),
      remedy: expect.stringContaining(`chmod 600 ${file}`),
    }),
  );
  chmodSync(file, 0o600);
});

test('no file', () => {
  expect(() => requiredPassword(undefined, target)).toThrow(/there is no password file$/);
  expect(() => requiredPassword('/nonexistent', target)).toThrow('there is no password file /none');
});
