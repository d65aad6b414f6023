import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../../src/settings/load.js';
import { SettingsError } from '../../../src/settings/problem.js';
import { type Env, LEAST, load, problemsOf } from './helpers.js';

/** Exactly one problem, and what it says. */
function expectProblem(env: Env, variable: string, message: string | RegExp, remedy?: RegExp) {
  expect(problemsOf(env)).toEqual([
    {
      variable,
      message: expect.stringMatching(typeof message === 'string' ? literal(message) : message),
      remedy: expect.stringMatching(remedy ?? /^[A-Z].*\.$|\?/),
    },
  ]);
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

test('everything that is wrong is reported at once', () => {
  const result = loadSettings({
    cwd: '/nonexistent',
    env: { DB_PORT: 'abc', PG_QUEUE_TABLE_PREFIX: 'a-b', PCACHE_CRON_TRANSPORT: 'mail' },
  });
  expect(!result.ok && result.problems.map(({ variable }) => variable)).toEqual([
    'DB_PORT',
    'DB_USER',
    'DB_NAME',
    'PCACHE_CRON_TRANSPORT',
    'CACHE_BACKEND',
    'PG_QUEUE_TABLE_PREFIX',
  ]);
});

test('SettingsError lists each problem with its variable and remedy', () => {
  const error = new SettingsError(problemsOf({ DB_PORT: 'abc', CACHE_BACKEND: '' }));
  expect(error.message).toBe(
    [
      'The configuration is not usable:',
      '  DB_PORT: the port "abc" (environment) is not a whole number.',
      '  CACHE_BACKEND: is not set.',
    ].join('\n'),
  );
  expect(error.remedy).toBe(
    [
      'Fix each of them:',
      '  DB_PORT: Set it to the number of the port on which PostgreSQL listens, usually 5432.',
      '  CACHE_BACKEND: Set it to one of postgresql_array, postgresql_bit, postgresql_roaringbit.',
    ].join('\n'),
  );
});

test('a value that other variables fall back to is reported once, where it was set', () => {
  expectProblem({ DB_PORT: 'abc' }, 'DB_PORT', '"abc" (environment)');
  expectProblem({ DB_URL: 'postgresql://h:abc' }, 'DB_URL', '"abc" (from DB_URL)');
  expectProblem({ PGSSLMODE: 'on' }, 'PGSSLMODE', '"on" (environment)');
});

describe('required', () => {
  test.each(['DB_USER', 'DB_NAME', 'CACHE_BACKEND', 'PG_ARRAY_CACHE_TABLE_PREFIX'])(
    '%s',
    (name) => {
      expectProblem({ [name]: undefined }, name, /^is not set/, /^Set it /);
      expectProblem({ [name]: '' }, name, /^is not set/, /^Set it /);
    },
  );

  test('the prefix of the chosen backend, not that of another', () => {
    expectProblem({ CACHE_BACKEND: 'postgresql_bit' }, 'PG_BIT_CACHE_TABLE_PREFIX', 'is not set');
  });

  test('nothing that an unreadable URI may contain', () => {
    expectProblem({ DB_URL: 'nonsense', DB_USER: '' }, 'DB_URL', 'is not a URI');
  });
});

describe('ports', () => {
  test.each(['DB_PORT', 'PG_CRON_PORT', 'PCACHE_LINK_PORT'])('%s', (name) => {
    expectProblem({ [name]: 'abc' }, name, 'is not a whole number');
  });
  test.each(['abc', '5432 ', '54.32', '-1', '0x1538', 'tcp://10.0.0.1:5432'])('%s', (DB_PORT) => {
    expectProblem({ DB_PORT }, 'DB_PORT', 'is not a whole number', /5432/);
  });
  test.each(['0', '65536', '70000', '99999999999999999999'])('%s', (DB_PORT) => {
    expectProblem({ DB_PORT }, 'DB_PORT', 'is not between 1 and 65535');
  });
  test.each(['1', '65535'])('%s is one', (DB_PORT) => {
    expect(load({ DB_PORT }).ok).toBe(true);
  });
});

describe('hosts', () => {
  test.each([
    ['postgresql://db', 'is a URI, not a host'],
    ['db:5432', 'is not a host'],
    ['a,b', 'names several hosts'],
    ['[::1]', 'has brackets'],
    ['[::1]:5432', 'has brackets'],
    ['db host', 'has a space'],
    ['db\n', 'has a space or control character'],
  ])('%j', (DB_HOST, message) => {
    expectProblem({ DB_HOST }, 'DB_HOST', message);
  });
  test.each(['db', '10.0.0.1', '::1', 'fe80::1%eth0', '/run/postgresql', '/tmp/a:b'])(
    '%s is one',
    (DB_HOST) => {
      expect(load({ DB_HOST }).ok).toBe(true);
    },
  );
});

test('the remedy for an unknown backend lists all three', () => {
  const three = /postgresql_array, postgresql_bit, postgresql_roaringbit/;
  expectProblem({ CACHE_BACKEND: 'redis_set' }, 'CACHE_BACKEND', '"redis_set"', three);
  expectProblem({ CACHE_BACKEND: 'array' }, 'CACHE_BACKEND', '"array"', three);
});

describe.each([
  ['PG_ARRAY_CACHE_TABLE_PREFIX', 43],
  ['PG_QUEUE_TABLE_PREFIX', 40],
  ['PCACHE_SCHEMA', 58],
])('%s', (name, most) => {
  test.each([
    ["my'cache", 'has a quote'],
    ['my"cache', 'has a quote'],
    ['my cache', 'has a space'],
    ['my\tcache', 'has a space'],
    ['MyCache', 'has upper-case letters'],
    ['my-cache', 'has a hyphen'],
    ['1cache', 'starts with a digit'],
    ['caché', 'has the character "é"'],
    ['cache$', 'has the character "$"'],
    ['cache;', 'has the character ";"'],
    ['cache\0', 'has the character "\\u0000"'],
    ['a'.repeat(80), `has 80 bytes, more than the ${most} allowed`],
    ['a'.repeat(most + 1), `has ${most + 1} bytes, more than the ${most} allowed`],
  ])('%j', (value, message) => {
    expectProblem({ [name]: value }, name, message, /lower-case letters, digits and underscores/);
  });

  test('every fault of a value is named', () => {
    expectProblem(
      { [name]: '1 My-"Cache"' },
      name,
      'has a quote, has a space, has upper-case letters, has a hyphen, starts with a digit',
      /as in _1_my_cache\.$/,
    );
  });

  test.each(['a', '_a', 'a1_', 'a'.repeat(most)])('%s is one', (value) => {
    expect(load({ [name]: value }).ok).toBe(true);
  });
});

describe('a remedy shows a name that would do', () => {
  test.each([
    ['My-Cache', 'my_cache'],
    ['9 lives', '_9_lives'],
    ["'; --", 'my_cache'],
    ['é', 'my_cache'],
    [`A${'b'.repeat(80)}`, `a${'b'.repeat(39)}`],
  ])('%j: %s', (value, shown) => {
    expectProblem(
      { PG_QUEUE_TABLE_PREFIX: value },
      'PG_QUEUE_TABLE_PREFIX',
      /./,
      new RegExp(` as in ${shown}\\.$`),
    );
    expect(load({ PG_QUEUE_TABLE_PREFIX: shown }).ok).toBe(true);
  });
});

describe('a prefix of the queue', () => {
  test.each(['my_cache_cache', 'my_cache_cache_x'])(
    '%s could name tables of the cache',
    (value) => {
      expectProblem(
        { PG_QUEUE_TABLE_PREFIX: value },
        'PG_QUEUE_TABLE_PREFIX',
        `"${value}" (environment) begins like the tables that partition keys name, my_cache_cache_<key>`,
        /^Choose a prefix that does not begin with my_cache_cache\.$/,
      );
    },
  );

  test.each(['my_cache', 'my_cache_queue', 'my_cache_caches', 'my'])('%s could not', (value) => {
    expect(load({ PG_QUEUE_TABLE_PREFIX: value }).ok).toBe(true);
  });
});

describe('reserved schemas', () => {
  test.each([
    ['pg_mine', 'starts with pg_'],
    ['cron', "is pg_cron's own schema"],
    ['information_schema', "is PostgreSQL's own schema"],
    ['partitioncache_kept', 'where down keeps the tables of another one'],
  ])('%s', (PCACHE_SCHEMA, message) => {
    expectProblem({ PCACHE_SCHEMA }, 'PCACHE_SCHEMA', message);
  });

  test('public, even where the client has another', () => {
    const env = { PCACHE_SCHEMA: 'public', PCACHE_CLIENT_SCHEMA: 'app' };
    expectProblem(env, 'PCACHE_SCHEMA', 'is the schema every role shares');
  });

  test("the client's", () => {
    const env = { PCACHE_SCHEMA: 'shared', PCACHE_CLIENT_SCHEMA: 'shared' };
    expectProblem(env, 'PCACHE_SCHEMA', 'is the same as PCACHE_CLIENT_SCHEMA');
  });

  test("that of the tables which down keeps, for the client or pg_cron's side", () => {
    const env = { PCACHE_CLIENT_SCHEMA: 'partitioncache_kept' };
    expectProblem(env, 'PCACHE_CLIENT_SCHEMA', 'keeps tables that down would drop');
    const single = { DB_NAME: 'kept', PG_CRON_DATABASE: 'kept' };
    expectProblem(single, 'PCACHE_SCHEMA', 'the name of that where down keeps tables');
  });

  test('in single mode, that of the view of pg_cron', () => {
    const env = { PCACHE_CLIENT_SCHEMA: 'partitioncache_app' };
    expectProblem({ ...env, PG_CRON_DATABASE: 'app' }, 'PCACHE_CLIENT_SCHEMA', 'view of pg_cron');
    expect(load(env).ok).toBe(true);
  });
});

describe.each([
  ['DB_NAME', 'database'],
  ['DB_USER', 'role'],
  ['PG_CRON_DATABASE', 'database'],
  ['PG_CRON_USER', 'role'],
  ['PG_QUEUE_USER', 'role'],
  ['PG_ADMIN_USER', 'role'],
  ['PCACHE_CLIENT_SCHEMA', 'schema'],
])('%s', (name, kind) => {
  test.each([
    ['a\0b', 'has a control character'],
    ['a\nb', 'has a control character'],
    ['a\ud800b', 'has a character that is not Unicode'],
    ['ä'.repeat(32), 'has 64 bytes, more than the 63 allowed'],
  ])('%j', (value, message) => {
    expectProblem({ [name]: value }, name, message, literal(kind));
  });

  test.each([
    'Ünïcode "quoted" $name',
    'a'.repeat(63),
    ' $$ ',
    '{{schema}}',
    '/* */ --',
    'current_user',
  ])('%s is one', (value) => {
    expect(load({ [name]: value }).ok).toBe(true);
  });
});

describe('names that mean something else to PostgreSQL, even in quotes', () => {
  test.each([
    ['DB_USER', 'public', 'means every role'],
    ['PG_QUEUE_USER', 'public', 'means every role'],
    ['PG_CRON_USER', 'none', 'means no role'],
    ['PG_ADMIN_USER', 'pg_monitor', 'starts with pg_'],
    ['PCACHE_CLIENT_SCHEMA', '$user', 'in a search_path, the schema named like the role'],
    ['PCACHE_CLIENT_SCHEMA', 'pg_catalog', 'starts with pg_'],
    ['PCACHE_CLIENT_SCHEMA', 'information_schema', "is PostgreSQL's own schema"],
  ])('%s=%s', (name, value, message) => {
    expectProblem({ [name]: value }, name, message, /that exists/);
  });

  test.each([
    ['PCACHE_CLIENT_SCHEMA', 'public'],
    ['DB_NAME', 'public'],
    ['DB_NAME', 'pg_data'],
    ['DB_USER', '$user'],
    ['DB_USER', 'Public'],
  ])('not %s=%s', (name, value) => {
    expect(load({ [name]: value }).ok).toBe(true);
  });
});

describe('the queue is in the work database', () => {
  test.each([
    ['PG_QUEUE_HOST', 'other', 'DB_HOST, which is "localhost" (default)'],
    ['PG_QUEUE_PORT', '5433', 'DB_PORT, which is "5432" (default)'],
    ['PG_QUEUE_DB', 'other', 'DB_NAME, which is "app" (environment)'],
  ])('%s=%s', (name, value, message) => {
    expectProblem({ [name]: value }, name, `"${value}" (environment) is not ${message}`, /unset/);
  });

  test('a URI too', () => {
    const env = { PG_QUEUE_URL: 'postgresql:///other' };
    expectProblem(env, 'PG_QUEUE_DB', '"other" (from PG_QUEUE_URL) is not DB_NAME');
  });

  test('a different spelling is the same', () => {
    const spellings: Env[] = [
      { DB_HOST: 'localhost', PG_QUEUE_HOST: '127.0.0.1' },
      { DB_HOST: '::1', PG_QUEUE_HOST: 'LOCALHOST' },
      { DB_HOST: 'db.example', PG_QUEUE_HOST: 'DB.example' },
      { DB_PORT: '5432', PG_QUEUE_PORT: '05432' },
    ];
    for (const env of spellings) expect(load(env).ok).toBe(true);
  });

  test('an invalid port is reported only as such', () => {
    expectProblem({ PG_QUEUE_PORT: 'abc' }, 'PG_QUEUE_PORT', 'is not a whole number');
  });
});

describe('transport', () => {
  test('unknown', () => {
    expectProblem(
      { PCACHE_CRON_TRANSPORT: 'mail' },
      'PCACHE_CRON_TRANSPORT',
      '"mail" (environment) is not a transport',
      /deploy or link/,
    );
  });

  test('link within one database', () => {
    expectProblem(
      { PCACHE_CRON_TRANSPORT: 'link', PG_CRON_DATABASE: 'app' },
      'PCACHE_CRON_TRANSPORT',
      'PG_CRON_DATABASE and DB_NAME are both "app"',
    );
  });

  test('link without a password', () => {
    const link = { PCACHE_CRON_TRANSPORT: 'link' };
    expectProblem(link, 'PG_CRON_PASSWORD', 'the link transport needs it to log in', /deploy/);
    for (const name of ['PG_CRON_PASSWORD', 'DB_PASSWORD', 'PGPASSWORD']) {
      expect(load({ ...link, [name]: 'secret' }).ok).toBe(true);
    }
  });
});

test('a password without the role it belongs to', () => {
  expectProblem({ PG_ADMIN_PASSWORD: 'hush' }, 'PG_ADMIN_USER', 'PG_ADMIN_PASSWORD is');
  expectProblem({ PG_PLAN_PASSWORD: 'hush' }, 'PG_PLAN_USER', 'PG_PLAN_PASSWORD is');
  expect(load({ PGPASSWORD: 'for all' }).ok).toBe(true);
});

describe('misspelt variables', () => {
  test.each([
    ['PCACHE_SCHMEA', 'PCACHE_SCHEMA'],
    ['PCACHE_TRANSPORT', 'PCACHE_CRON_TRANSPORT'],
    ['PG_CRON_DB', 'PG_CRON_DATABASE'],
    ['PG_CRON_PASS', 'PG_CRON_PASSWORD'],
    ['PG_CRON_USERNAME', 'PG_CRON_USER'],
    ['PG_CRON_HOSTS', 'PG_CRON_HOST'],
    ['PG_ADMIN_PASSWD', 'PG_ADMIN_PASSWORD'],
  ])('%s: did you mean %s?', (misspelt, meant) => {
    expectProblem(
      { [misspelt]: 'x' },
      misspelt,
      'is not a variable of pcache-migrate (environment)',
      new RegExp(`^Did you mean ${meant}\\?`),
    );
  });

  test.each([
    ["PartitionCache's own", 'PG_QUEUE_PROVIDER'],
    ["PartitionCache's own", 'DB_SSL'],
    ['what Kubernetes adds', 'PG_CRON_SERVICE_HOST'],
    ['what Kubernetes adds', 'PG_CRON_SERVICE_PORT_PSQL'],
    ['what Kubernetes adds', 'PCACHE_PORT_5432_TCP_ADDR'],
    ["the test suite's", 'PCACHE_TEST_RUNTIME'],
    ['empty', 'PCACHE_SCHMEA_'],
  ])('not %s: %s', (why, name) => {
    expect(load({ [name]: why === 'empty' ? '' : 'x' }).ok).toBe(true);
  });
});

test('no problem quotes a password', () => {
  const problems = problemsOf({
    DB_URL: 'postgresql://migrator:hush1@localhost/app',
    DB_PASSWORD: 'hush2',
    PG_CRON_URL: 'postgresql://u:hu/sh3@localhost',
    PG_QUEUE_URL: 'postgresql://u:hu@sh4@localhost',
    PG_ADMIN_PASSWORD: 'hush5',
  });
  expect(problems.map(({ variable }) => variable).sort()).toEqual([
    'DB_PASSWORD',
    'PG_ADMIN_USER',
    'PG_CRON_URL',
    'PG_QUEUE_URL',
  ]);
  expect(JSON.stringify(problems)).not.toMatch(/hu|sh\d/);
});

test('the minimal configuration has no problem', () => {
  expect(loadSettings({ env: { ...LEAST }, cwd: '/nonexistent' })).toMatchObject({ ok: true });
});
