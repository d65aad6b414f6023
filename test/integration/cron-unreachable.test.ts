import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasRelation, hasSchema } from '../../src/database/catalogue.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { type DownOptions, down } from '../../src/operations/down.js';
import { readHistory } from '../../src/operations/history.js';
import { plan } from '../../src/operations/plan.js';
import { readStatus } from '../../src/operations/status.js';
import { verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, deploy, setUp, type TestSite } from '../harness/deployment.js';
import { migrationBefore } from '../harness/package-migrations.js';

function takeDown(settings: Settings, options: Partial<DownOptions> = {}) {
  return down(settings, {
    streams: ['work', 'cron'],
    extent: { all: true },
    confirm: async () => false,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
    ...options,
  });
}

const CALLS = [
  "CALL partitioncache.run_processor('any', 1)",
  'CALL partitioncache.run_maintenance()',
];

describe('the pg_cron database cannot be reached', () => {
  let site: TestSite;
  let settings: Settings;
  /** The same deployment, as seen from where nothing listens at pg_cron's port. */
  let cut: Settings;
  let admin: pg.Client;
  let cronAdmin: pg.Client;
  let asCronRole: pg.Client;

  const jobs = async () => {
    const { rows } = await cronAdmin.query(
      "SELECT command FROM cron.job WHERE username = $1 AND command LIKE 'CALL%' ORDER BY 1",
      [site.cronRole.name],
    );
    return rows.map(({ command }) => command);
  };
  const isThere = () => hasSchema(admin, settings.schema);
  const configured = () =>
    hasRelation(admin, settings.clientSchema, deploymentTables(settings).processorConfig);

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    cut = { ...settings, cron: { ...settings.cron, port: 1 } };
    admin = await adminClient(site.database);
    cronAdmin = await adminClient('postgres');
    await setUp(settings, { enable: true, parallel: 1, frequencySeconds: 3600 });
    asCronRole = await connectAs({ ...settings.cron, database: site.database });
    return () => Promise.all([admin.end(), cronAdmin.end()]);
  });

  it.each<[string, Partial<DownOptions>, string]>([
    ['all', {}, 'pcache-migrate down --stream work --all'],
    ['the last release', { extent: { lastRelease: true } }, 'pcache-migrate down --stream work'],
    ['a few', { extent: { count: 3 } }, 'pcache-migrate down --stream work --count 3'],
  ])('down of %s is refused with the line that works', async (_, options, line) => {
    await expect(takeDown(cut, options)).rejects.toMatchObject({
      name: 'CronUnreachableError',
      message: expect.stringContaining('Nothing was changed'),
      remedy: expect.stringMatching(new RegExp(`${line}$`)),
    });
    await expect(takeDown(cut, { ...options, streams: ['cron'] })).rejects.toMatchObject({
      name: 'ConnectionError',
    });
    expect(await configured()).toBe(true);
  });

  it('the work stream goes alone, and what jobs call does nothing, for the cron role only', async () => {
    const before = await jobs();
    expect(before).toHaveLength(2);
    const request = { streams: ['work'], extent: { all: true } } as const;
    const planned = await plan(cut, { direction: 'down', ...request });
    expect(planned.unknown).toMatchObject([{ part: 'jobs' }]);
    expect(planned.streams.map(({ stream }) => stream)).toEqual(['work']);

    const report = await takeDown(cut, request);
    expect(report.standIns).toEqual(['run_processor', 'run_maintenance']);
    expect(report.cronUnreachable).toContain("can't connect to database");
    expect(await configured()).toBe(false);
    expect(await jobs()).toEqual(before);
    for (const call of CALLS) await asCronRole.query(call);
    const app = await connectAs(settings.client);
    for (const call of CALLS)
      await expect(app.query(call)).rejects.toMatchObject({ code: '42501' });
  });

  it('status, doctor and history say what stands there', async () => {
    const standIns = ['run_maintenance', 'run_processor'];
    const [inBoth, inWork] = [await readStatus(settings), await readStatus(cut)];
    expect(inBoth).toMatchObject({ standIns, unknown: [], upToDate: false });
    expect(inWork).toMatchObject({ standIns, unknown: [], upToDate: false });
    expect(inBoth.kept).toMatchObject([{ rows: 1, releases: [1] }]);
    expect(await readHistory(settings)).toMatchObject({ releases: [] });
    await expect(verify(settings)).resolves.toMatchObject({ clean: false });
    await expect(takeDown(cut, { extent: { lastRelease: true } })).rejects.toMatchObject({
      name: 'CronUnreachableError',
    });
    const again = await takeDown(cut, { streams: ['work'] });
    expect(again).toMatchObject({ streams: [], left: 0, standIns: [] });
    const { checks } = await runDoctor(settings, { streams: ['work', 'cron'] });
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
  });

  it('up replaces the stand-ins, and everything is as it was', async () => {
    const before = await jobs();
    const { takenBack, release } = await deploy(settings);
    expect(takenBack).toMatchObject([{ rows: 1 }]);
    expect(release).toBe(1);
    expect(await jobs()).toEqual(before);
    expect(await readStatus(settings)).toMatchObject({ standIns: [], upToDate: true });
    expect(await verify(settings)).toMatchObject({ clean: true });
  });

  it('a release that changed the work database alone is undone without pg_cron', async () => {
    const to = await migrationBefore('work', 'retry_fragments');
    await takeDown(settings, { streams: ['work'], extent: { to } });
    const { release } = await deploy(settings);
    const { undone, standIns } = await takeDown(cut, { extent: { lastRelease: true } });
    expect({ undone, standIns }).toEqual({ undone: [release], standIns: [] });
  });

  it('goes back step by step, until nothing but what stands in is left', async () => {
    const backTo = async (routine: string) => {
      const to = await migrationBefore('work', routine);
      return takeDown(cut, { streams: ['work'], extent: { to } });
    };
    const callAll = async () => {
      for (const call of CALLS) await asCronRole.query(call);
    };
    expect((await backTo('evaluate_item')).standIns).toHaveLength(2);
    await callAll();
    expect(await verify(settings)).toMatchObject({ clean: true });
    const to = await migrationBefore('work', 'process_chunk');
    await deploy(settings, { streams: ['work'], to });
    await callAll();
    await backTo('cron_takes_seconds');
    expect(await takeDown(cut, { streams: ['work'] })).toMatchObject({ left: 0 });
    await callAll();
  });

  it('a later down with pg_cron takes jobs and stand-ins away, and the schema', async () => {
    expect(await isThere()).toBe(true);
    expect(await jobs()).toHaveLength(2);
    await takeDown(settings);
    expect(await jobs()).toEqual([]);
    expect(await isThere()).toBe(false);
    await deploy(settings);
    const { rows } = await admin.query(
      `SELECT enabled FROM ${clientName(settings, deploymentTables(settings).processorConfig)}`,
    );
    expect(rows).toEqual([{ enabled: true }]);
    expect(await verify(settings)).toMatchObject({ clean: true });
  });
});
