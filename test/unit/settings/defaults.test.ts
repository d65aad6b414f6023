import { expect, test } from 'vitest';
import { LEAST, load, resolvedOf, settingsOf } from './helpers.js';

test('the minimal configuration gets the defaults of the guide', () => {
  expect(settingsOf()).toMatchObject({
    mode: 'cross',
    transport: 'deploy',
    work: { host: 'localhost', port: 5432, user: 'migrator', password: undefined, database: 'app' },
    cron: { host: 'localhost', port: 5432, user: 'migrator', database: 'postgres' },
    client: { host: 'localhost', port: 5432, user: 'migrator', database: 'app' },
    admin: undefined,
    planner: undefined,
    link: { host: 'localhost', port: undefined },
    schema: 'partitioncache',
    clientSchema: 'public',
    cronSchema: 'partitioncache_app',
    queuePrefix: 'partitioncache_queue',
    tablePrefix: 'my_cache',
    cacheBackend: 'array',
  });
});

test('PG_CRON_* and PG_QUEUE_* fall back to DB_*', () => {
  const DB = { DB_HOST: 'db', DB_PORT: '6432', DB_PASSWORD: 'secret' };
  const inherited = { host: 'db', port: 6432, user: 'migrator', password: 'secret' };
  expect(settingsOf(DB)).toMatchObject({
    cron: { ...inherited, database: 'postgres' },
    client: { ...inherited, database: 'app' },
  });
});

test('PG_CRON_PASSWORD falls back to DB_PASSWORD for another role too, as the guide says', () => {
  expect(settingsOf({ DB_PASSWORD: 'secret', PG_CRON_USER: 'cron_role' }).cron).toMatchObject({
    user: 'cron_role',
    password: 'secret',
  });
});

test('values of their own win over the fallback', () => {
  const settings = settingsOf({
    DB_PASSWORD: 'one',
    PG_CRON_HOST: 'cron-host',
    PG_CRON_PORT: '5433',
    PG_CRON_USER: 'cron_role',
    PG_CRON_PASSWORD: 'two',
    PG_CRON_DATABASE: 'cron_management',
    PG_QUEUE_USER: 'application',
    PG_QUEUE_PASSWORD: 'three',
    PG_ADMIN_USER: 'postgres',
    PG_ADMIN_PASSWORD: 'four',
    PG_QUEUE_TABLE_PREFIX: 'q',
    PCACHE_SCHEMA: 'own',
    PCACHE_CLIENT_SCHEMA: 'Client Schema',
  });
  expect(settings).toMatchObject({
    cron: {
      host: 'cron-host',
      port: 5433,
      user: 'cron_role',
      password: 'two',
      database: 'cron_management',
    },
    client: { user: 'application', password: 'three' },
    admin: { user: 'postgres', password: 'four' },
    queuePrefix: 'q',
    schema: 'own',
    clientSchema: 'Client Schema',
    cronSchema: 'own_app',
  });
});

test.each([
  ['postgresql_array', 'PG_ARRAY_CACHE_TABLE_PREFIX', 'array'],
  ['postgresql_bit', 'PG_BIT_CACHE_TABLE_PREFIX', 'bit'],
  ['postgresql_roaringbit', 'PG_ROARINGBIT_CACHE_TABLE_PREFIX', 'roaringbit'],
])('%s takes its prefix from %s', (CACHE_BACKEND, prefixVariable, cacheBackend) => {
  const env = { CACHE_BACKEND, PG_ARRAY_CACHE_TABLE_PREFIX: 'unused', [prefixVariable]: 'its_own' };
  expect(settingsOf(env)).toMatchObject({ cacheBackend, tablePrefix: 'its_own' });
});

test.each([
  ['the names differ', {}, 'cross', 'deploy'],
  ['the names are the same', { PG_CRON_DATABASE: 'app' }, 'single', 'direct'],
  ['only the port differs', { PG_CRON_DATABASE: 'app', PG_CRON_PORT: '5433' }, 'cross', 'deploy'],
  ['only the host differs', { PG_CRON_DATABASE: 'app', PG_CRON_HOST: 'b' }, 'cross', 'deploy'],
  [
    'the host is spelt differently',
    { PG_CRON_DATABASE: 'app', PG_CRON_HOST: '127.0.0.1' },
    'single',
    'direct',
  ],
  [
    'link is wanted',
    { PCACHE_CRON_TRANSPORT: 'link', PG_CRON_PASSWORD: 'secret' },
    'cross',
    'link',
  ],
])('mode and transport when %s', (_, env, mode, transport) => {
  expect(settingsOf(env)).toMatchObject({ mode, transport });
});

test('the link may have an address of its own', () => {
  const env = { PCACHE_LINK_HOST: '/run/postgresql', PCACHE_LINK_PORT: '5433' };
  expect(settingsOf(env).link).toEqual({ host: '/run/postgresql', port: 5433 });
});

test('empty strings count as unset', () => {
  const env = { DB_HOST: '', PG_CRON_DATABASE: '', PG_ADMIN_USER: '', PCACHE_LINK_PORT: '' };
  expect(settingsOf(env)).toEqual(settingsOf());
});

test('PGPASSWORD applies where no password is set, and PGPASSFILE is passed on', () => {
  const env = { PGPASSWORD: 'pg', PG_CRON_PASSWORD: 'own', PG_ADMIN_USER: 'postgres' };
  expect(settingsOf({ ...env, PGPASSFILE: 'pass' }, { cwd: '/dir' })).toMatchObject({
    work: { password: 'pg', passwordFile: '/dir/pass' },
    cron: { password: 'own' },
    client: { password: 'pg' },
    admin: { password: 'pg' },
  });
  expect(settingsOf({ HOME: '/home/me' }).work.passwordFile).toBe('/home/me/.pgpass');
});

test('a connection knows the variable behind each of its values', () => {
  const env = { DB_URL: 'postgresql://db', PG_CRON_PASSWORD: 'secret' };
  expect(settingsOf(env).cron.variables).toEqual({
    host: 'PG_CRON_HOST (from DB_HOST)',
    port: 'PG_CRON_PORT (from DB_PORT)',
    user: 'PG_CRON_USER (from DB_USER)',
    password: 'PG_CRON_PASSWORD',
    database: 'PG_CRON_DATABASE',
  });
  expect(settingsOf(env).work.variables?.host).toBe('DB_HOST (from DB_URL)');
});

test('neither the environment given nor that of the process is changed', () => {
  const before = { ...process.env };
  const env = Object.freeze({ ...LEAST });
  load(env);
  expect(process.env).toEqual(before);
});

test.each([
  ['DB_HOST', ['localhost', 'default']],
  ['DB_USER', ['migrator', 'environment']],
  ['PG_CRON_HOST', ['localhost', 'from DB_HOST']],
  ['PG_CRON_USER', ['cron_role', 'from PG_CRON_URL']],
  ['DB_PASSWORD', ['********', 'environment']],
  ['PG_CRON_PASSWORD', ['********', 'from PG_CRON_URL']],
  ['PG_QUEUE_PASSWORD', ['********', 'from DB_PASSWORD']],
  ['PG_CRON_URL', ['postgresql://cron_role:********@', 'environment']],
  ['PG_ADMIN_USER', [undefined, 'not set']],
])('the resolved %s and its source', (name, expected) => {
  const env = { DB_PASSWORD: 'hush1', PG_CRON_URL: 'postgresql://cron_role:hush2@' };
  expect(resolvedOf(env, name)).toEqual(expected);
});

test('the resolved variables are listed without secrets when the configuration is wrong, too', () => {
  const { ok, resolved } = load({
    DB_PASSWORD: 'hush',
    DB_PORT: 'abc',
    DB_URL: 'mysql://a:hush@b',
  });
  expect(ok).toBe(false);
  expect(JSON.stringify(resolved)).not.toContain('hush');
  expect(resolved.find(({ name }) => name === 'DB_PORT')?.value).toBe('abc');
});
