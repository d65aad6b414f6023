import { cpus, loadavg, totalmem } from 'node:os';
import { asAdministrator } from '../src/settings/settings.js';
import { environmentFor, settingsFrom } from '../tools/quickstart/environment.js';
import type { ThrowawayCluster } from '../tools/throwaway/cluster.js';
import { connect } from './connect.js';

export interface Machine {
  readonly description: string;
  readonly pgCronTakesSeconds: boolean;
}

/** What the figures were measured on. Makes sure that the extension pg_cron is installed. */
export async function describeMachine(cluster: ThrowawayCluster): Promise<Machine> {
  const settings = settingsFrom(environmentFor(cluster), import.meta.dirname);
  const client = await connect(asAdministrator(settings.cron, settings.admin));
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_cron');
    const { rows } = await client.query<{ postgresql: string; cron: string; buffers: string }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS postgresql, current_setting('shared_buffers') AS buffers,
              (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron') AS cron`,
    );
    const { postgresql = '', cron = '', buffers = '' } = rows[0] ?? {};
    const [major = 0, minor = 0] = cron.split(/\D/).map(Number);
    const memory = Math.round(totalmem() / 2 ** 30);
    return {
      description:
        `PostgreSQL ${postgresql} and pg_cron ${cron} (${cluster.runtime}), shared_buffers ${buffers}, ` +
        `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${memory} GB; load before: ${loadavg()[0]?.toFixed(1)}`,
      pgCronTakesSeconds: major > 1 || minor >= 5,
    };
  } finally {
    await client.end();
  }
}
