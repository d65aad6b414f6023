import { beforeAll, describe, expect, it } from 'vitest';
import { lockId } from '../../src/database/advisory-lock.js';
import { withClient } from '../../src/database/connect.js';
import { cronName, ownName } from '../../src/deployment/own-names.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { CronStreamError } from '../../src/operations/cron-stream-error.js';
import { down } from '../../src/operations/down.js';
import { readHistory } from '../../src/operations/history.js';
import { DriftInTheWayError } from '../../src/operations/require-no-drift.js';
import type { RollbackExtent } from '../../src/operations/rollback-extent.js';
import { readStatus } from '../../src/operations/status.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, deploy, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationNames } from '../harness/package-migrations.js';
import { waitFor } from '../harness/wait-for.js';

let site: TestSite;
let settings: Settings;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
});

function takeDown(extent: RollbackExtent, onWait = () => {}) {
  return down(settings, {
    streams: ['work', 'cron'],
    extent,
    confirm: async () => true,
    drainSeconds: 5,
    waitSeconds: 20,
    onWait,
    log: () => {},
  });
}

async function releases() {
  return (await readHistory(settings)).releases;
}

describe('releases', () => {
  it('are none before the first', async () => {
    expect(await releases()).toEqual([]);
  });

  it('say what, by whom, from where and how it ended, over both databases', async () => {
    const [first = '', second = ''] = await migrationNames('work');
    const { release } = await deploy(settings, {
      streams: ['work'],
      to: second,
      label: 'commit 1',
    });
    expect(release).toBe(1);
    const report = await deploy(settings, { label: 'commit 2', program: 'a test' });
    expect(report.release).toBe(2);
    const work = await migrationNames('work');
    expect(await releases()).toMatchObject([
      {
        number: 2,
        label: 'commit 2',
        program: 'a test',
        outcome: 'done',
        workMigrations: work.slice(2),
        cronMigrations: await migrationNames('cron'),
      },
      {
        number: 1,
        packageVersion: '0.1.0',
        label: 'commit 1',
        role: site.migrator.name,
        host: expect.stringMatching(/./),
        program: expect.stringContaining('pcache-migrate 0.1.0'),
        outcome: 'done',
        error: undefined,
        workMigrations: [first, second],
        cronMigrations: [],
        undoneAt: undefined,
      },
    ]);
    for (const { startedAt, finishedAt } of await releases()) {
      expect(Number(finishedAt)).toBeGreaterThan(Number(startedAt));
    }
  });

  it('are not made by a run that changes nothing', async () => {
    expect((await deploy(settings)).release).toBeNull();
    expect(await releases()).toHaveLength(2);
  });

  it('are undone by a down, the last one in both databases, and can be deployed again', async () => {
    const before = await dumpSchema(site.cluster, site.database);
    const { undone, streams } = await takeDown({ lastRelease: true });
    expect(undone).toEqual([2]);
    expect(streams.map(({ stream }) => stream)).toEqual(['cron', 'work']);
    const { streams: left } = await readStatus(settings);
    expect(left.map(({ applied }) => applied.length)).toEqual([2, 0]);
    expect(await releases()).toMatchObject([
      { number: 2, outcome: 'done', undoneAt: expect.any(Date), undoneBy: site.migrator.name },
      { number: 1, undoneAt: undefined },
    ]);
    expect((await deploy(settings)).release).toBe(3);
    expect(await dumpSchema(site.cluster, site.database)).toBe(before);
  });

  it('are not undone twice by two that undo the last one at once', async () => {
    const holder = await connectAs(settings.work);
    const key = String(lockId(streamSites(settings).work.lock));
    await holder.query('SELECT pg_advisory_lock($1)', [key]);
    let waiting = 0;
    const wait = () => {
      waiting += 1;
    };
    const both = Promise.allSettled([
      takeDown({ lastRelease: true }, wait),
      takeDown({ lastRelease: true }, wait),
    ]);
    await waitFor('both wait for the lock', async () => waiting === 2, { deadlineMs: 30_000 });
    await holder.query('SELECT pg_advisory_unlock($1)', [key]);
    const reasons = (await both).flatMap((one) =>
      one.status === 'rejected' ? [one.reason.name] : [],
    );
    expect(reasons).toEqual(['AppliedChangedError']);
    expect((await releases()).map(({ undoneAt }) => undoneAt === undefined)).toEqual([
      false,
      false,
      true,
    ]);
    await deploy(settings);
  });

  it('are gone back to by number or by version', async () => {
    await expect(takeDown({ toRelease: 2 })).rejects.toThrow(
      /Release 2 is not applied.*Applied are: 1, 4/,
    );
    await expect(takeDown({ toVersion: '9.9.9' })).rejects.toThrow(
      /No release of version "9.9.9" is applied. Applied are releases of: 0.1.0/,
    );
    expect((await takeDown({ toVersion: '0.1.0' })).undone).toEqual([]);
    expect((await takeDown({ toRelease: 1 })).undone).toEqual([4]);
    expect(
      (await releases()).map(({ number, undoneAt }) => [number, undoneAt === undefined]),
    ).toEqual([
      [4, false],
      [3, false],
      [2, false],
      [1, true],
    ]);
  });

  it('that failed are recorded, completed by the next one, and undone with it', async () => {
    await takeDown({ all: true });
    expect(await releases()).toEqual([]);
    const [, second = ''] = await migrationNames('work');
    const cronNames = (await migrationNames('cron')).slice(0, 2);
    await deploy(settings, { streams: ['work'], to: second });
    await deploy(settings, { streams: ['cron'], to: cronNames[1] });
    const cron = await connectAs(settings.cron);
    const obstacle = `${cronName(settings, 'own_jobs')}()`;
    await cron.query(`CREATE FUNCTION ${obstacle} RETURNS integer LANGUAGE sql AS 'SELECT 1'`);

    await expect(deploy(settings)).rejects.toThrow(DriftInTheWayError);
    expect(await releases()).toHaveLength(2);
    const failure = await deploy(settings, { overwriteDrift: true }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(CronStreamError);
    const work = (await migrationNames('work')).slice(2);
    expect((await releases())[0]).toMatchObject({
      number: 3,
      outcome: 'failed',
      error: expect.stringMatching(/cannot change return type of existing function/),
      workMigrations: work,
      cronMigrations: [],
    });

    await cron.query(`DROP FUNCTION ${obstacle}`);
    expect((await deploy(settings)).release).toBe(4);
    expect((await takeDown({ lastRelease: true })).undone).toEqual([3, 4]);
    const { streams } = await readStatus(settings);
    expect(streams.map(({ applied }) => applied.map(({ name }) => name))).toEqual([
      (await migrationNames('work')).slice(0, 2),
      cronNames,
    ]);
  });

  it('begin with the work stream: the cron stream alone has no release', async () => {
    await takeDown({ all: true });
    expect((await deploy(settings, { streams: ['cron'] })).release).toBeNull();
    expect(await releases()).toEqual([]);
    expect((await deploy(settings)).release).toBe(1);
    expect((await takeDown({ lastRelease: true })).streams).toHaveLength(2);
    await deploy(settings);
  });

  it('whose client was lost are ended by the next run', async () => {
    await withClient(settings.work, (work) =>
      work.query(
        `INSERT INTO ${ownName(settings, 'release')} (number, package_version, host, program)
         VALUES (2, '0.1.0', 'gone', 'killed')`,
      ),
    );
    expect((await releases())[0]).toMatchObject({ number: 2, outcome: 'unfinished' });
    await deploy(settings);
    expect((await releases())[0]).toMatchObject({
      number: 2,
      outcome: 'failed',
      error: 'it was interrupted, or its client was lost',
    });
  });
});
