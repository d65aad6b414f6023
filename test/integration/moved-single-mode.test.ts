import { expect, it } from 'vitest';
import { adopt } from '../../src/operations/adopt.js';
import { verify } from '../../src/operations/verify.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { createSite, setUp } from '../harness/deployment.js';
import { asAdmin, renameDatabase } from '../harness/moved-databases.js';

it('adopts a renamed database that has pg_cron in it', async () => {
  const cluster = await startOwnCluster({ cronDatabase: 'before' });
  await asAdmin(cluster, ['CREATE DATABASE before']);
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron'], 'before');
  const site = await createSite({ cluster, cronDatabase: 'before', database: 'before' });
  await setUp(site.settings(), { parallel: 1 });
  // pg_cron itself holds its database: first it has to look elsewhere.
  await cluster.restart({ cronDatabase: 'after' });
  await renameDatabase(cluster, 'before', 'after');
  await cluster.restart();
  const settings = site.settings({ DB_NAME: 'after', PG_CRON_DATABASE: 'after' });
  const report = await adopt(settings, {
    dryRun: false,
    confirm: async () => true,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
  });
  expect(report).toMatchObject({
    found: { kind: 'renamed' },
    removed: [{ workDatabase: 'before' }],
  });
  expect(await verify(settings)).toMatchObject({ clean: true });
  const admin = await adminClient('after', cluster);
  const { rows } = await admin.query('SELECT DISTINCT database FROM cron.job');
  expect(rows).toEqual([{ database: 'after' }]);
  const { rowCount } = await admin.query(
    "SELECT FROM pg_namespace WHERE nspname = 'partitioncache_before'",
  );
  expect(rowCount).toBe(0);
  await admin.query('SELECT cron.unschedule(jobid) FROM cron.job');
  await admin.end();
  // For the site, which knows it by that name.
  await cluster.restart({ cronDatabase: 'before' });
  await renameDatabase(cluster, 'after', 'before');
});
