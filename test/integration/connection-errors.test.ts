import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { ConnectionError } from '../../src/database/connection-error.js';
import { loadSettings } from '../../src/settings/load.js';
import type { ConnectionSettings, SslSettings } from '../../src/settings/settings.js';
import { sharedCluster } from '../harness/cluster.js';
import {
  adminClient,
  createDatabase,
  createRole,
  dropDatabase,
  type Role,
} from '../harness/databases.js';

const certificates = fileURLToPath(new URL('tls/', import.meta.url));
const authority = `${certificates}authority.crt`;
const otherAuthority = `${certificates}other-authority.crt`;
const directory = mkdtempSync(join(tmpdir(), 'pcache-connect-'));

let admin: pg.Client;
let role: Role;
let database: string;
let settings: ConnectionSettings;

beforeAll(async () => {
  admin = await adminClient('postgres');
  role = await createRole('connect');
  database = await createDatabase('connect');
  const { host, port } = sharedCluster();
  settings = {
    host,
    port,
    user: role.name,
    password: role.password,
    database,
    ssl: { mode: 'prefer' },
    variables: {
      host: 'DB_HOST',
      port: 'DB_PORT',
      user: 'DB_USER',
      password: 'DB_PASSWORD',
      database: 'DB_NAME',
    },
  };
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await admin?.end();
  if (database) await dropDatabase(database);
});

function connectedAs(changes: Partial<ConnectionSettings>): Promise<string> {
  return withClient({ ...settings, ...changes }, async (client) => {
    const { rows } = await client.query('SELECT current_user AS role');
    return rows[0].role;
  });
}

async function failureOf(changes: Partial<ConnectionSettings>): Promise<ConnectionError> {
  const error = await connectedAs(changes).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ConnectionError);
  expect(`${error.message} ${error.remedy}`).not.toContain(role.password);
  return error;
}

test('the session has its own name and search path, and is gone afterwards', async () => {
  const session = await withClient(settings, async (client) => {
    const { rows } = await client.query(
      `SELECT pg_backend_pid() AS pid, current_setting('search_path') AS search_path,
              current_setting('application_name') AS application`,
    );
    return rows[0];
  });
  expect(session).toMatchObject({
    search_path: 'pg_catalog, pg_temp',
    application: 'pcache-migrate',
  });
  await expect
    .poll(async () => {
      const { rows } = await admin.query('SELECT FROM pg_stat_activity WHERE pid = $1', [
        session.pid,
      ]);
      return rows.length;
    })
    .toBe(0);
});

test('an error thrown while the client is used is passed on unchanged', async () => {
  const failing = withClient(settings, (client) => client.query('SELECT 1/0'));
  await expect(failing).rejects.toMatchObject({ code: '22012' });
});

describe('refused by the server', () => {
  test('wrong password', async () => {
    const error = await failureOf({ password: 'wrong' });
    expect(error.message).toBe(
      `can't connect to database "${database}" on ${settings.host}:${settings.port} as user "${role.name}": password authentication failed for user "${role.name}" (SQLSTATE 28P01)`,
    );
    expect(error.remedy).toContain('DB_PASSWORD');
  });

  test('unknown role', async () => {
    expect((await failureOf({ user: 'nobody' })).remedy).toContain('DB_USER');
  });

  test('a role whose CONNECTION LIMIT is reached', async () => {
    const limited = await createRole('limited');
    await admin.query(`ALTER ROLE ${pg.escapeIdentifier(limited.name)} CONNECTION LIMIT 0`);
    const error = await failureOf({ user: limited.name, password: limited.password });
    expect(error.message).toContain('(SQLSTATE 53300)');
    expect(error.remedy).toContain(`ALTER ROLE "${limited.name}" CONNECTION LIMIT -1;`);
    expect(error.remedy).not.toContain('max_connections');
  });

  test('a database whose CONNECTION LIMIT is reached', async () => {
    const limited = await createDatabase('limited');
    try {
      await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(limited)} CONNECTION LIMIT 0`);
      const error = await failureOf({ database: limited });
      expect(error.message).toContain('(SQLSTATE 53300)');
      expect(error.remedy).toContain(`ALTER DATABASE "${limited}" CONNECTION LIMIT -1;`);
    } finally {
      await dropDatabase(limited);
    }
  });

  test('a role that may not log in', async () => {
    const group = await createRole('group');
    await admin.query(`ALTER ROLE ${pg.escapeIdentifier(group.name)} NOLOGIN`);
    const error = await failureOf({ user: group.name, password: group.password });
    expect(error.message).toContain('is not permitted to log in (SQLSTATE 28000)');
  });

  test('unknown database', async () => {
    const error = await failureOf({ database: 'no "such" database' });
    expect(error.message).toContain('does not exist (SQLSTATE 3D000)');
    expect(error.remedy).toContain('DB_NAME');
    expect(error.remedy).toContain('CREATE DATABASE "no ""such"" database";');
  });

  test('a database that takes no connections; the remedy fixes it', async () => {
    const closed = await createDatabase('closed');
    try {
      await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(closed)} ALLOW_CONNECTIONS false`);
      const { message, remedy } = await failureOf({ database: closed });
      expect(message).toContain('is not currently accepting connections (SQLSTATE 55000)');
      await admin.query(/ALTER .*;/.exec(remedy)?.[0] ?? '');
      expect(await connectedAs({ database: closed })).toBe(role.name);
    } finally {
      await dropDatabase(closed);
    }
  });

  test('a database closed to this role; the remedy fixes it', async () => {
    const closed = await createDatabase('closed');
    try {
      await admin.query(`REVOKE CONNECT ON DATABASE ${pg.escapeIdentifier(closed)} FROM PUBLIC`);
      const { message, remedy } = await failureOf({ database: closed });
      expect(message).toContain('permission denied');
      await admin.query(/GRANT .*;/.exec(remedy)?.[0] ?? '');
      expect(await connectedAs({ database: closed })).toBe(role.name);
    } finally {
      await dropDatabase(closed);
    }
  });
});

describe('no server', () => {
  test('nothing listens on the port', async () => {
    const error = await failureOf({ port: await unusedPort() });
    expect(error.message).toContain('nothing accepts connections there (ECONNREFUSED)');
    expect(error.remedy).toContain('DB_HOST and DB_PORT');
  });

  test('the host is unknown', async () => {
    const error = await failureOf({ host: 'no-such-host.invalid' });
    expect(error.message).toContain('the host name "no-such-host.invalid" can\'t be resolved');
    expect(error.remedy).toBe('Correct DB_HOST.');
  });

  test('there is no such socket', async () => {
    const error = await failureOf({ host: directory });
    expect(error.message).toContain(`on ${directory}/.s.PGSQL.${settings.port} as`);
    expect(error.message).toContain('there is no such socket');
  });

  test('something else listens there', async () => {
    const server = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await failureOf({ port: server.port });
    expect(error.remedy).toContain('point to a PostgreSQL server');
    server.close();
  });
});

describe('passwords', () => {
  test('none', async () => {
    const error = await failureOf({ password: undefined });
    expect(error.message).toContain('the server asks for a password, none is set');
    expect(error.remedy).toContain('DB_PASSWORD');
  });

  test('by password file, without a warning from pg', async () => {
    const passwordFile = join(directory, 'pgpass');
    writeFileSync(passwordFile, `*:*:*:${role.name}:${role.password}\n`, { mode: 0o600 });
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    expect(await connectedAs({ password: undefined, passwordFile })).toBe(role.name);
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('by PGPASSWORD or PGPASSFILE in the .env file', async () => {
    writeFileSync(join(directory, 'pass'), `*:*:*:*:${role.password}\n`, { mode: 0o600 });
    for (const line of [`PGPASSWORD=${role.password}`, 'PGPASSFILE=pass']) {
      writeFileSync(join(directory, '.env'), line);
      const result = loadSettings({
        cwd: directory,
        env: {
          DB_URL: `postgresql://${role.name}@${settings.host}:${settings.port}/${database}`,
          CACHE_BACKEND: 'postgresql_bit',
          PG_BIT_CACHE_TABLE_PREFIX: 'cache',
        },
      });
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      expect(await connectedAs(result.settings.work)).toBe(role.name);
    }
  });
});

describe('TLS', () => {
  const withAuthority = (mode: SslSettings['mode']) => ({ mode, rootCert: authority });

  test.each(['disable', 'allow', 'prefer'] as const)(
    '%s does with a server without',
    async (mode) => {
      expect(await connectedAs({ ssl: { mode } })).toBe(role.name);
    },
  );

  test.each(['require', 'verify-ca', 'verify-full'] as const)('%s does not', async (mode) => {
    const error = await failureOf({ ssl: withAuthority(mode) });
    expect(error.message).toContain(`the server has no TLS, and sslmode is ${mode}`);
    expect(error.remedy).toContain('PGSSLMODE');
  });

  describe('with a server that has it', () => {
    let server: Listener & { encrypted: () => number };
    beforeAll(async () => {
      server = await tlsServerInFront(settings);
    });
    afterAll(() => server.close());

    test.each<[SslSettings, number]>([
      [{ mode: 'disable' }, 0],
      [{ mode: 'allow' }, 0],
      [{ mode: 'prefer' }, 1],
      [{ mode: 'require' }, 1],
      [withAuthority('require'), 1],
      [withAuthority('verify-ca'), 1],
      [withAuthority('verify-full'), 1],
    ])('%j connects, encrypted: %i', async (ssl, encrypted) => {
      const before = server.encrypted();
      expect(await connectedAs({ host: 'localhost', port: server.port, ssl })).toBe(role.name);
      expect(server.encrypted() - before).toBe(encrypted);
    });

    test.each<SslSettings>([
      { mode: 'require', rootCert: otherAuthority },
      { mode: 'verify-ca', rootCert: otherAuthority },
      { mode: 'verify-full', rootCert: otherAuthority },
      { mode: 'verify-full' },
    ])('%j does not trust it', async (ssl) => {
      const error = await failureOf({ host: 'localhost', port: server.port, ssl });
      expect(error.message).toContain("the server's certificate is not trusted");
      expect(error.remedy).toContain('PGSSLROOTCERT');
    });

    test('only verify-full objects to a certificate for another host', async () => {
      const byAddress = { host: '127.0.0.1', port: server.port };
      expect(await connectedAs({ ...byAddress, ssl: withAuthority('verify-ca') })).toBe(role.name);
      const error = await failureOf({ ...byAddress, ssl: withAuthority('verify-full') });
      expect(error.message).toContain("the server's certificate is for another host");
      expect(error.remedy).toContain('DB_HOST');
    });

    test('a certificate file that went missing', async () => {
      const ssl = { mode: 'verify-full', rootCert: join(directory, 'missing.crt') } as const;
      expect((await failureOf({ ssl })).message).toContain('missing.crt');
    });
  });
});

describe('a connection that the server ends', () => {
  const end = (client: pg.Client) =>
    admin.query('SELECT pg_terminate_backend($1, 5000)', [
      (client as pg.Client & { processID: number }).processID,
    ]);

  test('between two queries', async () => {
    const lost = withClient(settings, async (client) => {
      await end(client);
      await expect.poll(() => client.query('SELECT 1').catch(() => 'gone')).toBe('gone');
      await client.query('SELECT 1');
    });
    await expect(lost).rejects.toThrow(/^lost the connection to .*administrator command/);
  });

  test('during a query', async () => {
    const lost = withClient(settings, async (client) => {
      const sleeping = client.query('SELECT pg_sleep(30)');
      await Promise.all([sleeping, end(client)]);
    });
    await expect(lost).rejects.toThrow(/^lost the connection to .*administrator command/);
  });
});

interface Listener {
  port: number;
  close: () => void;
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function unusedPort(): Promise<number> {
  const { port, close } = await listen(() => {});
  close();
  return port;
}

const SSL_REQUEST = 80877103;

/**
 * A PostgreSQL server with TLS, wherever the cluster runs: it answers the request for TLS as a server
 * does, and passes what it decrypts to the cluster, which has no certificate.
 */
async function tlsServerInFront(cluster: { host: string; port: number }) {
  const cert = readFileSync(`${certificates}server.crt`);
  const key = readFileSync(`${certificates}server.key`);
  let encrypted = 0;
  const join = (one: Socket, first?: Buffer) => {
    const other = connect(cluster.port, cluster.host);
    for (const socket of [one, other]) socket.on('error', () => {});
    if (first) other.write(first);
    one.pipe(other).pipe(one);
  };
  const listener = await listen((socket) => {
    socket.once('data', (first) => {
      if (first.length !== 8 || first.readInt32BE(4) !== SSL_REQUEST) return join(socket, first);
      socket.write('S');
      const secured = new TLSSocket(socket, { isServer: true, cert, key });
      secured.once('secure', () => {
        encrypted++;
      });
      join(secured);
    });
  });
  return { ...listener, encrypted: () => encrypted };
}
