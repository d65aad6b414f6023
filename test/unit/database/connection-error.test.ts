import { expect, test } from 'vitest';
import { connectionFailed, connectionLost } from '../../../src/database/connection-error.js';
import { MissingPasswordError } from '../../../src/database/password-file.js';
import type { ConnectionSettings } from '../../../src/settings/settings.js';

const settings: ConnectionSettings = {
  host: 'db',
  port: 5433,
  user: 'cron"role',
  password: 'hush',
  database: 'app',
  ssl: { mode: 'require' },
  variables: {
    host: 'PG_CRON_HOST (from DB_HOST)',
    port: 'PG_CRON_PORT',
    user: 'PG_CRON_USER',
    password: 'PG_CRON_PASSWORD',
    database: 'PG_CRON_DATABASE',
  },
};

const server = (code: string, message: string) =>
  Object.assign(new Error(message), { severity: 'FATAL', code });
const system = (code: string, message = '') => Object.assign(new Error(message), { code });

test.each([
  [server('28P01', 'password authentication failed'), '28P01', 'Correct PG_CRON_PASSWORD, or PG_C'],
  [server('28000', 'no pg_hba.conf entry'), '28000', 'pg_hba.conf'],
  [server('3D000', 'database "app" does not exist'), '3D000', 'CREATE DATABASE "app";'],
  [
    server('42501', 'permission denied'),
    '42501',
    'GRANT CONNECT ON DATABASE "app" TO "cron""role";',
  ],
  [server('53300', 'too many clients'), '53300', 'max_connections'],
  [server('57P03', 'the database system is starting up'), '57P03', 'try again'],
  [server('XX000', 'broken'), 'broken (SQLSTATE XX000)', "server's log"],
  [system('ENOTFOUND'), '"db" can\'t be resolved', 'Correct PG_CRON_HOST (from DB_HOST).'],
  [system('EAI_AGAIN'), '"db" can\'t be resolved', 'Correct PG_CRON_HOST (from DB_HOST).'],
  [system('ECONNREFUSED'), 'nothing accepts connections', 'PG_CRON_PORT'],
  [system('EHOSTUNREACH'), "can't be reached", 'firewall'],
  [system('ENOENT'), 'no such socket', 'that the server is running'],
  [new Error('timeout expired'), 'no answer within', 'firewall'],
  [
    new MissingPasswordError('the server asks'),
    'the server asks',
    'Set PG_CRON_PASSWORD or PGPASS',
  ],
  [new Error('The server does not support SSL connections'), 'has no TLS', 'PGSSLMODE'],
  [system('SELF_SIGNED_CERT_IN_CHAIN'), 'is not trusted', 'PGSSLROOTCERT'],
  [system('ERR_TLS_CERT_ALTNAME_INVALID'), 'for another host', 'PG_CRON_HOST'],
  [new Error('something else'), 'something else', 'PG_CRON_HOST'],
])('%s', (cause, message, remedy) => {
  const error = connectionFailed(settings, cause);
  expect(error.message).toContain('database "app" on db:5433 as user "cron"role"');
  expect(error.message).toContain(message);
  expect(error.remedy).toContain(remedy);
  expect(error.cause).toBe(cause);
  expect(`${error.message}${error.remedy}`).not.toContain('hush');
});

test('a failure for each address of a host is explained as well', () => {
  const cause = Object.assign(
    new AggregateError([system('ECONNREFUSED', 'connect ECONNREFUSED ::1:5433')]),
    { code: 'ECONNREFUSED' },
  );
  expect(connectionFailed(settings, cause).message).toContain('nothing accepts connections');
});

test.each([
  ['::1', 'on [::1]:5433 as'],
  ['/run/postgresql', 'on /run/postgresql/.s.PGSQL.5433 as'],
])('the address of %s', (host, expected) => {
  expect(connectionFailed({ ...settings, host }, new Error()).message).toContain(expected);
});

test('without the names of variables, the remedy names what they contain', () => {
  const { variables, ...unnamed } = settings;
  const error = connectionFailed(unnamed, server('28P01', 'password authentication failed'));
  expect(error.remedy).toContain(
    'Correct the password, or the user: the server does not say which is wrong.',
  );
});

test('a connection that was lost', () => {
  const error = connectionLost(settings, server('57P01', 'terminating connection'));
  expect(error.message).toBe(
    'lost the connection to database "app" on db:5433 as user "cron"role": terminating connection (SQLSTATE 57P01)',
  );
});
