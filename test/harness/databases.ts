import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { passwordVerifier } from '../../tools/throwaway/password-verifier.js';
import { sharedCluster } from './cluster.js';
import { connectionConfig } from './connection.js';

/**
 * A connection as the administrator; the caller ends it. What an administrator changes by hand meets jobs
 * at work: in a deadlock, their lock timeouts end the wait, not this session.
 */
export async function adminClient(
  database: string,
  cluster: ClusterAddress = sharedCluster(),
): Promise<pg.Client> {
  const client = new pg.Client({
    ...connectionConfig(cluster, database),
    options: '-c deadlock_timeout=1min',
  });
  // Dropping the database or stopping the server ends this connection from the other side, on purpose.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Creates an empty database, or a copy of `template` (which then must have no sessions). */
export async function createDatabase(
  prefix: string,
  options: { template?: string; owner?: string; cluster?: ClusterAddress } = {},
): Promise<string> {
  const name = uniqueName(prefix);
  const template = options.template ?? 'template1';
  const owner = options.owner ?? 'postgres';
  await asAdmin(
    `CREATE DATABASE ${quote(name)} TEMPLATE ${quote(template)} OWNER ${quote(owner)}`,
    options.cluster,
  );
  return name;
}

/** Drops the database and ends the sessions that are still in it. */
export async function dropDatabase(name: string, cluster?: ClusterAddress): Promise<void> {
  await asAdmin(`DROP DATABASE IF EXISTS ${quote(name)} WITH (FORCE)`, cluster);
}

export interface Role {
  name: string;
  password: string;
}

/** Creates a login role without further privileges. */
export async function createRole(prefix: string, cluster?: ClusterAddress): Promise<Role> {
  const role = { name: uniqueName(prefix), password: randomBytes(12).toString('base64url') };
  await asAdmin(
    `CREATE ROLE ${quote(role.name)} LOGIN PASSWORD ${pg.escapeLiteral(passwordVerifier(role.password))}`,
    cluster,
  );
  return role;
}

/** Creates a role that cannot log in, without further privileges. Returns its name. */
export async function createGroup(prefix: string, cluster?: ClusterAddress): Promise<string> {
  const name = uniqueName(prefix);
  await asAdmin(`CREATE ROLE ${quote(name)} NOLOGIN`, cluster);
  return name;
}

/** What the cron role needs of the extension, which loses it when it is dropped; in the pg_cron database. */
export function cronGrants(role: string, database: string): readonly string[] {
  return [
    `GRANT CREATE ON DATABASE ${quote(database)} TO ${quote(role)}`,
    `GRANT USAGE ON SCHEMA cron TO ${quote(role)}`,
    `GRANT EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean), cron.unschedule(bigint) TO ${quote(role)}`,
  ];
}

async function asAdmin(statement: string, cluster?: ClusterAddress): Promise<void> {
  const client = await adminClient('postgres', cluster);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`;
}

function quote(identifier: string): string {
  return pg.escapeIdentifier(identifier);
}
