import pg from 'pg';
import type { TestProject } from 'vitest/node';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { findRuntime, type Runtime } from '../../tools/throwaway/find-runtime.js';
import { startCluster } from '../../tools/throwaway/start-cluster.js';
import { connectionConfig } from './connection.js';

declare module 'vitest' {
  interface ProvidedContext {
    runtime: Runtime;
    sharedCluster: ClusterAddress;
  }
}

/** One cluster for the whole run: test files share it, and each has databases of its own. */
export default async function startSharedCluster(project: TestProject) {
  const runtime = await findRuntime({ env: process.env, say: (line) => console.log(line) });
  const { restart, stop, keep, logs, ...address } = await startCluster(runtime, {
    settings: {
      max_connections: '200',
      max_worker_processes: '40',
      'cron.max_running_jobs': '64',
    },
  });
  try {
    console.log(`integration tests run on ${await prepare(address)} (${runtime.kind})`);
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide('runtime', runtime);
  project.provide('sharedCluster', address);
  return stop;
}

async function prepare(address: ClusterAddress): Promise<string> {
  const client = new pg.Client(connectionConfig(address, 'postgres'));
  await client.connect();
  try {
    await client.query('CREATE EXTENSION pg_cron');
    const { rows } = await client.query(
      `SELECT format('PostgreSQL %s with pg_cron %s', current_setting('server_version'), extversion) AS is
       FROM pg_extension WHERE extname = 'pg_cron'`,
    );
    return rows[0].is;
  } finally {
    await client.end();
  }
}
