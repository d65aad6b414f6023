import { beforeAll, describe, expect, inject, it } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { judgeLaunch, type Launch } from '../../src/jobs/launch.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createDatabase } from '../harness/databases.js';
import { createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { launcherRuns } from '../harness/stage.js';
import { waitFor } from '../harness/wait-for.js';
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

async function asRoot(...statements: string[]) {
  return asAdmin(cluster, statements, 'postgres');
}

async function turn(setting: string, value: 'on' | 'off') {
  await asRoot(`ALTER SYSTEM SET ${setting} = ${value}`, 'SELECT pg_reload_conf()');
}

async function endRuns() {
  await asRoot(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_cron'",
  );
}

/** As a look at this moment judges it, of jobs that have to begin within so many seconds. */
function judge(graceSeconds?: number): Promise<Launch> {
  const settings = site.settings();
  return withClient(settings.work, (work) =>
    withClient(settings.cron, (cron) =>
      judgeLaunch({ work, cron }, settings, graceSeconds === undefined ? {} : { graceSeconds }),
    ),
  );
}

function judged(verdict: Launch['verdict'], graceSeconds?: number): Promise<Launch> {
  return waitFor(`pg_cron is judged ${verdict}`, () => judge(graceSeconds), {
    deadlineMs: 45_000,
    until: (found) => found.verdict === verdict,
  });
}

describe.skipIf(inject('runtime').kind === 'local')('where cron.launch_active_jobs is off', () => {
  const administrator = () => ({
    PG_ADMIN_USER: cluster.adminUser,
    PG_ADMIN_PASSWORD: cluster.adminPassword,
  });

  beforeAll(async () => {
    await judged('starting');
    await turn('cron.launch_active_jobs', 'off');
    await endRuns();
    return () => turn('cron.launch_active_jobs', 'on');
  });

  it('an administrator is told by the setting, from each command', async () => {
    const why = 'pg_cron of this server starts no job: cron.launch_active_jobs is off.';
    for (const command of ['status', 'verify']) {
      expect(await run(command, administrator()), command).toMatchObject({
        code: 3,
        notStarted: why,
      });
    }
    expect(await run('sync', administrator())).toMatchObject({ code: 0, notStarted: why });
    const { checks } = await run('doctor', administrator());
    expect(checks).toContainEqual(
      expect.objectContaining({ id: 'job-launch', status: 'warning', detail: why }),
    );
  });

  it('other roles are told by jobs that are not started, once they should have been', async () => {
    expect(await judge()).not.toMatchObject({ verdict: 'none' });
    expect(await run('status')).toMatchObject({ code: 0 });
    expect(await judged('none', 5)).toMatchObject({
      detail: expect.stringMatching(/has started no job of this deployment since .* is off, which/),
    });
  });

  it('jobs that pg_cron has just been told of have to be waited for', async () => {
    const told = () =>
      asAdmin(cluster, ['SELECT * FROM partitioncache.applied_job ORDER BY 1'], site.database);
    const before = await told();
    await run('sync');
    expect(await told()).toEqual(before);
    await asRoot('SELECT cron.unschedule(jobid) FROM cron.job');
    await run('sync');
    const after = await told();
    expect(after).toHaveLength(before.length);
    const newest = Math.max(...before.map(({ applied_at }) => applied_at.getTime()));
    for (const { applied_at } of after) expect(applied_at.getTime()).toBeGreaterThan(newest);
    expect(await judge(3600)).toMatchObject({ verdict: 'early' });
  });

  it('a role that may see settings, too', async () => {
    await asRoot(`GRANT pg_read_all_settings TO ${site.cronRole.name}`);
    expect(await judge()).toMatchObject({ verdict: 'none' });
    await asRoot(`REVOKE pg_read_all_settings FROM ${site.cronRole.name}`);
  });
});

describe.skipIf(inject('runtime').kind === 'local')('where cron.log_run is off', () => {
  beforeAll(async () => {
    await asRoot('DELETE FROM cron.job_run_details');
    await cluster.restart({ settings: { 'cron.log_run': 'off' } });
    await launcherRuns(cluster);
    return () => turn('cron.launch_active_jobs', 'on');
  });

  it('a job at work is seen, and that none is proves nothing', async () => {
    expect(await judged('starting')).toBeTruthy();
    await turn('cron.launch_active_jobs', 'off');
    await endRuns();
    const { detail } = await judged('unseen', 5);
    expect(detail).toContain('Whether pg_cron starts jobs is not known');
  });
});

it.runIf(inject('runtime').kind === 'local')('pg_cron 1.4 has no such setting', async () => {
  expect(await judge()).toMatchObject({ verdict: 'starting' });
});

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
