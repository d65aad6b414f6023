import { beforeAll, describe, expect, it } from 'vitest';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createDatabase } from '../harness/databases.js';
import { createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { launcherRuns } from '../harness/stage.js';
import { cli } from '../unit/cli/fake-world.js';

// The jobs are as configured, and pg_cron starts none of them.

let cluster: ThrowawayCluster;
let site: TestSite;

beforeAll(async () => {
  cluster = await startOwnCluster();
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron'], 'postgres');
  site = await createSite({ cluster });
  await setUp(site.settings(), { enable: true, parallel: 1, frequencySeconds: 1 });
});

async function run(command: string, changes: NodeJS.ProcessEnv = {}) {
  const { code, stdout } = await cli([command, '--json'], {
    env: site.environment(changes),
    now: () => new Date(),
  });
  return { code, ...JSON.parse(stdout) };
}

async function text(command: string, changes: NodeJS.ProcessEnv = {}) {
  const { stdout } = await cli([command], {
    env: site.environment(changes),
    now: () => new Date(),
  });
  return stdout;
}

describe('where pg_cron serves another database', () => {
  beforeAll(async () => {
    const elsewhere = await createDatabase('elsewhere', { cluster });
    await cluster.restart({ settings: { 'cron.database_name': elsewhere } });
    await launcherRuns(cluster);
    return async () => {
      await cluster.restart({ settings: { 'cron.database_name': 'postgres' } });
      await launcherRuns(cluster);
    };
  });

  it('verify says so, as status does', async () => {
    const found = await run('verify');
    expect(found).toMatchObject({
      code: 3,
      clean: false,
      jobs: [],
      notStarted: expect.stringContaining('so no job in database "postgres" is started'),
    });
    expect(await run('status')).toMatchObject({ code: 3, notStarted: found.notStarted });
    const said = await text('verify');
    expect(said).toContain(found.notStarted);
    expect(said).toContain('pcache-migrate doctor');
  });
});
