import { expect, inject, it } from 'vitest';
import { adopt } from '../../src/operations/adopt.js';
import { verify } from '../../src/operations/verify.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, enqueue, setUp, tablesOf } from '../harness/deployment.js';
import { asAdmin, copyRoles, dumpDatabase, restoreDatabase } from '../harness/moved-databases.js';
import { waitFor } from '../harness/wait-for.js';

const quietly = { waitSeconds: 20, onWait: () => {}, log: () => {} };

// With 1.4 jobs start at the full minute only; what is restored is the same.
it.skipIf(inject('runtime').kind === 'local')(
  'both databases, dumped under load and restored on another server, go on there with all that was queued',
  async () => {
    const here = await startOwnCluster({ settings: { max_worker_processes: '30' } });
    await asAdmin(here, ['CREATE EXTENSION pg_cron']);
    const site = await createSite({ cluster: here });
    const settings = site.settings();
    await setUp(settings, { parallel: 2, frequencySeconds: 1, enable: true });

    const load = await clientAtWork();
    const { queries, fragmentQueue } = tablesOf(settings);
    const original = await adminClient(site.database, here);
    const count = async (where: string) =>
      (await original.query<{ count: number }>(`SELECT count(*)::int FROM ${where}`)).rows[0]
        ?.count as number;
    await waitFor('work that is done, and more that waits', async () => count(queries), {
      deadlineMs: 30_000,
    });
    const before = load.queued();
    const workDump = await dumpDatabase(here, site.database);
    const cronDump = await dumpDatabase(here, 'postgres', ['--exclude-schema=public']);
    const after = load.queued();
    await load.stop();
    expect(before.length).toBeGreaterThan(50);
    expect(after.length).toBeGreaterThan(before.length);

    const there = await startOwnCluster({ settings: { max_worker_processes: '30' } });
    await asAdmin(there, ['CREATE EXTENSION pg_cron']);
    await copyRoles(site, there);
    await restoreDatabase(there, site.database, workDump, { owner: site.migrator });
    const cron = await adminClient('postgres', there);
    await cron.query('DROP EXTENSION pg_cron');
    await cron.query(cronDump);
    const restored = site.settings({
      DB_HOST: there.host,
      DB_PORT: String(there.port),
      PCACHE_LINK_PORT: String(there.serverPort),
    });
    const work = await connectAs(restored.work);
    const waiting = (await work.query(`SELECT hash FROM ${fragmentQueue}`)).rowCount as number;
    expect(waiting).toBeGreaterThan(0);

    const { rows: clock } = await cron.query('SELECT now() AS began');
    const report = await adopt(restored, { ...quietly, dryRun: false, confirm: async () => true });
    expect(report.refused).toEqual([]);
    expect(await verify(restored)).toMatchObject({ clean: true });
    await waitFor(
      'an empty queue',
      async () => (await work.query(`SELECT FROM ${fragmentQueue}`)).rowCount === 0,
      { deadlineMs: 60_000 },
    );
    const known = await work.query(`SELECT query_hash FROM ${queries} WHERE status = 'ok'`);
    const hashes = new Set(known.rows.map(({ query_hash }) => query_hash));
    expect(before.filter((hash) => !hashes.has(hash))).toEqual([]);
    const { rows: sets } = await work.query(
      `SELECT DISTINCT partition_keys FROM ${restored.tablePrefix}_cache_zipcode`,
    );
    const { rows: direct } = await work.query(
      'SELECT array_agg(DISTINCT zipcode ORDER BY zipcode) AS keys FROM pois WHERE id < 20',
    );
    expect(sets.map(({ partition_keys }) => [...partition_keys].sort(numerically))).toEqual([
      direct[0].keys.filter((key: number | null) => key !== null),
    ]);
    const { rows: runs } = await cron.query(
      `SELECT count(*)::int FROM cron.job_run_details AS run JOIN cron.job USING (jobid)
        WHERE job.jobname LIKE '%_mycache_%' AND run.start_time > $1`,
      [clock[0].began],
    );
    expect(runs[0].count).toBeGreaterThan(0);
    await Promise.all([original.end(), cron.end()]);

    async function clientAtWork() {
      const app = await connectAs(settings.client);
      const queued: string[] = [];
      let isStopped = false;
      const loop = (async () => {
        while (!isStopped) {
          const hashes = Array.from({ length: 20 }, (_, i) => `h${queued.length + i}`);
          await enqueue(
            app,
            settings,
            hashes.map((hash) => ({
              hash,
              key: 'zipcode',
              datatype: 'integer',
              query: `SELECT zipcode FROM pois, pg_sleep(0.01) WHERE id < 20 -- ${hash}`,
            })),
          );
          queued.push(...hashes);
          // More than is worked off, so that something waits; not so much that the end takes minutes.
          await app.query('SELECT pg_sleep(0.1)');
        }
      })();
      return {
        queued: () => [...queued],
        stop: async () => {
          isStopped = true;
          await loop;
        },
      };
    }
  },
  180_000,
);

function numerically(a: number, b: number): number {
  return a - b;
}
