import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { passwordVerifier } from '../../tools/throwaway/password-verifier.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { connectionConfig } from './connection.js';
import { adminClient, cronGrants, type Role } from './databases.js';
import type { TestSite } from './deployment.js';

const sql = pg.escapeIdentifier;

/** Returns the rows of the last one. */
export async function asAdmin(
  cluster: ClusterAddress,
  statements: readonly string[],
  database = 'postgres',
): Promise<pg.QueryResult['rows']> {
  const admin = await adminClient(database, cluster);
  try {
    let rows: pg.QueryResult['rows'] = [];
    for (const statement of statements) ({ rows } = await admin.query(statement));
    return rows;
  } finally {
    await admin.end();
  }
}

/** Runs the statement while nobody, pg_cron included, is connected to the database, and nobody can be. */
export async function whileNobodyIsIn(
  cluster: ClusterAddress,
  database: string,
  statement: string,
  nameThen = database,
): Promise<void> {
  const admin = await adminClient('postgres', cluster);
  try {
    await admin.query(`ALTER DATABASE ${sql(database)} ALLOW_CONNECTIONS false`);
    await admin.query(
      'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1',
      [database],
    );
    await admin.query(statement);
    await admin.query(`ALTER DATABASE ${sql(nameThen)} ALLOW_CONNECTIONS true`);
  } finally {
    await admin.end();
  }
}

export function copyDatabase(
  cluster: ClusterAddress,
  from: string,
  to: string,
  owner: string,
): Promise<void> {
  return whileNobodyIsIn(
    cluster,
    from,
    `CREATE DATABASE ${sql(to)} TEMPLATE ${sql(from)} OWNER ${sql(owner)}`,
  );
}

export function renameDatabase(cluster: ClusterAddress, from: string, to: string): Promise<void> {
  return whileNobodyIsIn(cluster, from, `ALTER DATABASE ${sql(from)} RENAME TO ${sql(to)}`, to);
}

/** A dump in SQL alone, which any connection can restore. */
export async function dumpDatabase(
  cluster: ClusterAddress,
  database: string,
  options: readonly string[] = [],
): Promise<string> {
  const dump = await runServerTool(cluster, 'pg_dump', [
    '--inserts',
    '--username=postgres',
    ...options,
    database,
  ]);
  return dump.replace(/^\\.*$/gm, '');
}

/** Into a new database of that name; as the administrator unless a role is given. */
export async function restoreDatabase(
  cluster: ClusterAddress,
  database: string,
  dump: string,
  { owner, as }: { owner: Role; as?: Role },
): Promise<void> {
  await asAdmin(cluster, [`CREATE DATABASE ${sql(database)} OWNER ${sql(owner.name)}`]);
  const client = new pg.Client({
    ...connectionConfig(cluster, database),
    ...(as && { user: as.name, password: as.password }),
  });
  await client.connect();
  try {
    await client.query(dump);
  } finally {
    await client.end();
  }
}

export function anyName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`;
}

/** The site's roles, with their passwords and grants, on another server. */
export async function copyRoles(site: TestSite, cluster: ClusterAddress): Promise<void> {
  const logins = [
    ...new Map([site.migrator, site.cronRole, site.app].map((r) => [r.name, r])).values(),
  ];
  await asAdmin(cluster, [
    ...logins.map(
      ({ name, password }) =>
        `CREATE ROLE ${sql(name)} LOGIN PASSWORD ${pg.escapeLiteral(passwordVerifier(password))}`,
    ),
    ...(site.fragmentRole
      ? [
          `CREATE ROLE ${sql(site.fragmentRole)} NOLOGIN`,
          `GRANT ${sql(site.fragmentRole)} TO ${sql(site.migrator.name)}`,
        ]
      : []),
    ...cronGrants(site.cronRole.name, 'postgres'),
  ]);
}

/**
 * On a cluster of the test's own: without waiting for the runs that pg_cron has started. While there are any, 1.4 keeps
 * every DROP DATABASE of the cluster waiting.
 */
export async function dropDatabase(cluster: ClusterAddress, database: string): Promise<void> {
  const admin = await adminClient('postgres', cluster);
  const other = await adminClient('postgres', cluster);
  const dropped = admin.query(`DROP DATABASE IF EXISTS ${sql(database)} WITH (FORCE)`);
  const impatience = setInterval(() => void endRuns(other), 500);
  try {
    await dropped;
  } finally {
    clearInterval(impatience);
    await admin.end();
    await other.end();
  }
}

export async function endRuns(admin: pg.Client): Promise<void> {
  await admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL %.run\\_%(%' AND pid <> pg_backend_pid()",
  );
}
