import { describe, expect, test } from 'vitest';
import { maskConnectionUri, parseConnectionUri } from '../../../src/settings/connection-uri.js';
import { problemsOf, settingsOf } from './helpers.js';

describe('parts', () => {
  test.each([
    ['postgresql://', {}],
    ['postgres://h', { host: 'h' }],
    ['postgresql://h:5433', { host: 'h', port: '5433' }],
    ['postgresql://h:/d', { host: 'h', database: 'd' }],
    ['postgresql://h/d', { host: 'h', database: 'd' }],
    ['postgresql:///d', { database: 'd' }],
    ['postgresql://u@', { user: 'u' }],
    ['postgresql://u@/d', { user: 'u', database: 'd' }],
    ['postgresql://u:p@h:1/d', { user: 'u', password: 'p', host: 'h', port: '1', database: 'd' }],
    ['postgresql://u:@h', { user: 'u', host: 'h' }],
    ['postgresql://u:a:b?c#d=&e@h', { user: 'u', password: 'a:b?c#d=&e', host: 'h' }],
    ['postgresql://[::1]:5433/d', { host: '::1', port: '5433', database: 'd' }],
    ['postgresql://%2Frun%2Fpg/d', { host: '/run/pg', database: 'd' }],
    ['postgresql:///d?host=/run/pg&port=5433', { host: '/run/pg', port: '5433', database: 'd' }],
    ['postgresql://?user=u&password=p%26q&dbname=d', { user: 'u', password: 'p&q', database: 'd' }],
    [
      'postgresql://%C3%BC:p%40%2F%3A@h/a%20b',
      { user: 'ü', password: 'p@/:', host: 'h', database: 'a b' },
    ],
    [
      'postgresql://h?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k',
      { host: 'h', sslmode: 'verify-full', sslrootcert: '/ca', sslcert: '/c', sslkey: '/k' },
    ],
    ['postgresql://h?ssl=true', { host: 'h', sslmode: 'require' }],
    ['postgresql://h?connect_timeout=5&application_name=x', { host: 'h' }],
    ['postgresql://h/d?', { host: 'h', database: 'd' }],
  ])('%s', (uri, parts) => {
    expect(parseConnectionUri(uri)).toEqual(parts);
  });
});

describe('refused', () => {
  test.each([
    ['mysql://h/d', 'is not a URI'],
    ['h/d', 'is not a URI'],
    ['host=h dbname=d', 'is not a URI'],
    ['postgresql:h', 'is not a URI'],
    ['postgresql://u:p%4@h', 'has a % that is not followed'],
    ['postgresql://u:p%ff@h', 'has a % that is not followed'],
    ['postgresql://u:p@ss@h/d', 'unescaped @ or /'],
    ['postgresql://u:p/ss@h/d', 'unescaped @ or /'],
    ['postgresql://a,b/d', 'names several hosts'],
    ['postgresql://a:1,b:2/d', 'names several hosts'],
    ['postgresql://h?target_session_attrs=any', 'parameter "target_session_attrs"'],
    ['postgresql://h?sslmodus=require', 'parameter "sslmodus"'],
    ['postgresql://h?sslmode', 'has a parameter without a value'],
  ])('%s', (uri, message) => {
    expect(() => parseConnectionUri(uri)).toThrow(message);
  });
});

describe('masked', () => {
  test.each([
    ['postgresql://u@h/d', 'postgresql://u@h/d'],
    ['postgresql://u:hush@h/d?sslmode=require', 'postgresql://u:********@h/d?sslmode=require'],
    ['postgresql://u:hu?sh@h', 'postgresql://u:********@h'],
    ['postgresql://h?password=hush&user=u', 'postgresql://h?password=********&user=u'],
    ['postgresql://h?user=u&p%61ssword=hush', 'postgresql://h?user=u&p%61ssword=********'],
    ['postgresql://u:hu/sh@h', '********'],
    ['anything', '********'],
  ])('%s', (uri, masked) => {
    expect(maskConnectionUri(uri)).toBe(masked);
  });
});

test('a URI replaces the single variables, and is a fallback like them', () => {
  const settings = settingsOf({
    DB_USER: '',
    DB_NAME: '',
    DB_URL: 'postgresql://owner:p%40ss@db.example:6432/work',
    PG_CRON_URL: 'postgresql://cron_role@/cron_db',
    PG_QUEUE_URL: 'postgresql://application:x@DB.example:6432',
  });
  expect(settings).toMatchObject({
    mode: 'cross',
    work: { host: 'db.example', port: 6432, user: 'owner', password: 'p@ss', database: 'work' },
    cron: {
      host: 'db.example',
      port: 6432,
      user: 'cron_role',
      password: 'p@ss',
      database: 'cron_db',
    },
    client: { user: 'application', password: 'x', database: 'work' },
  });
});

test.each([
  ['DB_HOST', 'other', '"other" (environment) disagrees with DB_URL, which says "localhost"'],
  ['DB_PORT', '5433', '"5433" (environment) disagrees with DB_URL, which says "5432"'],
  ['DB_USER', 'other', '"other" (environment) disagrees with DB_URL, which says "u"'],
  ['DB_PASSWORD', 'other', 'is not the password in DB_URL'],
  ['DB_NAME', 'other', '"other" (environment) disagrees with DB_URL, which says "d"'],
])('%s that disagrees with the URI is a problem that names both', (variable, value, message) => {
  const agreeing = { DB_USER: 'u', DB_NAME: 'd', DB_HOST: '127.0.0.1', DB_PORT: '05432' };
  const env = { ...agreeing, DB_PASSWORD: 'p', DB_URL: 'postgresql://u:p@localhost:5432/d' };
  expect(problemsOf(env)).toEqual([]);
  expect(problemsOf({ ...env, [variable]: value })).toContainEqual({
    variable,
    message,
    remedy: `Unset ${variable} or DB_URL, or make them agree.`,
  });
});
