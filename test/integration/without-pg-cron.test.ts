import { beforeAll, expect, it } from 'vitest';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { cli } from '../unit/cli/fake-world.js';

// Each test continues where the previous one stopped.
let cluster: ThrowawayCluster;
let site: TestSite;

const run = (line: string, changes: NodeJS.ProcessEnv = {}) =>
  cli(line.split(' '), { env: site.environment(changes) });

beforeAll(async () => {
  cluster = await startOwnCluster();
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
  site = await createSite({ cluster });
  await setUp(site.settings(), { parallel: 1 });
  await cluster.restart({ preloadPgCron: false });
});

it.each(['down --all', 'processor disable', 'sync'])(
  '%s says that the server was started without it, and not which statement failed',
  async (line) => {
    const { code, stderr } = await run(line);
    expect(stderr).toContain('The server was started without pg_cron');
    expect(stderr).toContain('pcache-migrate doctor prints the lines');
    expect(stderr).not.toMatch(/Migration|SQLSTATE|See the server's log/);
    expect(code).toBe(1);
  },
);

it('has left all as it was', async () => {
  const { stdout } = await run('history');
  expect(stdout).not.toContain('undone');
  const rows = await asAdmin(
    cluster,
    ['SELECT transport, pg_cron_version IS NOT NULL AS deployed FROM partitioncache.deployment'],
    site.database,
  );
  expect(rows).toEqual([{ transport: 'deploy', deployed: true }]);
});

it('down rolls back once the extension is dropped, and does not say that it is kept', async () => {
  await asAdmin(cluster, ['DROP EXTENSION pg_cron']);
  const { code, stdout, stderr } = await run('down --all');
  expect(stderr).not.toContain('Error');
  expect(stdout).toContain('Rolled back');
  expect(stdout).not.toContain('the extension pg_cron');
  expect(code).toBe(0);
});

it('up deploys again when the server is started with it', async () => {
  await cluster.restart({ preloadPgCron: true });
  const { code, stdout } = await run('up', {
    PG_ADMIN_USER: cluster.adminUser,
    PG_ADMIN_PASSWORD: cluster.adminPassword,
  });
  expect(stdout).toContain('CREATE EXTENSION pg_cron;');
  expect(code).toBe(0);
});
