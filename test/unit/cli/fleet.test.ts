import { describe, expect, it } from 'vitest';
import { fleetText } from '../../../src/cli/output/fleet.js';
import { styleOf } from '../../../src/cli/output/style.js';
import type { FleetDeployment, FleetReport } from '../../../src/operations/fleet.js';
import { inParallel } from '../../../src/operations/in-parallel.js';
import { cli } from './fake-world.js';

const now = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const plain = styleOf({ write: () => {} }, {}, false);

const deployment: FleetDeployment = {
  database: 'shop',
  schema: 'partitioncache',
  cronSchema: 'pcache_shop',
  mode: 'cross',
  packageVersion: '1.2.0',
  release: {
    number: 4,
    packageVersion: '1.2.0',
    label: 'build 7',
    startedAt: ago(90),
    finishedAt: ago(80),
    outcome: 'done',
  },
  holds: [],
  queue: { queued: 12, waiting: 2, oldestSeconds: 61 },
  perMinute: 0.4,
  results: { failedLastHour: 3, lastSuccess: ago(5) },
  drift: [],
  runs: { jobs: 3, failedLastHour: 1, lastSuccess: ago(20) },
  placesHeld: 2,
  unknown: [],
};
const reason = `can't connect:\u001b[2J no`;
const closed: FleetDeployment = {
  ...deployment,
  database: 'a\nb',
  release: null,
  holds: null,
  queue: null,
  perMinute: null,
  results: null,
  drift: null,
  unknown: [
    { part: 'release', reason },
    { part: 'queue', reason },
    { part: 'drift', reason: 'another' },
  ],
};
const report: FleetReport = {
  cronDatabase: 'postgres',
  cronRole: 'cron',
  deployments: [deployment],
  places: 32,
  leftBehind: [],
  renamed: [],
  unseen: [],
};
const text = (changes: Partial<FleetReport> = {}) =>
  fleetText({ ...report, ...changes }, { invocation: (line) => `run ${line}` }, now, plain);

describe('the view of a fleet', () => {
  it('has a row for each deployment', () => {
    expect(text()).toBe(
      [
        '1 deployment of role "cron" in the pg_cron of database "postgres"; 2 places held, of 32 for all roles (cron.max_running_jobs).',
        '',
        'database  version  release      mode   state  queued  oldest  per min  failed/h  last success  places  failed runs/h  last run  drift',
        'shop      1.2.0    4 (build 7)  cross  open   12      61 s    0.4      3         5 s ago       2       1              20 s ago  none',
        '',
        'Deployments of other cron roles can\'t be seen by role "cron": pg_cron shows each role its own jobs.',
      ].join('\n'),
    );
  });

  it('says unknown, never nothing or zero, with each reason once and escaped', () => {
    const shown = text({ deployments: [closed], places: null });
    expect(shown).toMatch(
      /^a\\nb +1\.2\.0 +unknown +cross +unknown +unknown +unknown +unknown +unknown +unknown +2 +1 +20 s ago +unknown$/m,
    );
    expect(shown).toContain("  a\\nb (release, queue): can't connect:\\u001b[2J no\n");
    expect(shown).toContain('  a\\nb (drift): another');
    expect(shown).toContain(
      'of an unknown number (cron.max_running_jobs is hidden from this role)',
    );
  });

  it('counts places as at least those that are known', () => {
    expect(text({ deployments: [deployment, { ...closed, placesHeld: null }] })).toContain(
      'at least 2 places held',
    );
  });

  it('shows a pause, another holder, drift, a failed release, and schemas that differ', () => {
    const hold = { holder: 'pause', reason: 'r', heldBy: 'x', since: now };
    const shown = text({
      deployments: [
        deployment,
        {
          ...deployment,
          schema: 'other',
          release: {
            ...deployment.release,
            number: 5,
            label: undefined,
            outcome: 'failed',
          } as never,
          holds: [hold, { ...hold, holder: 'up' }],
          queue: { queued: 0, waiting: 0, oldestSeconds: undefined },
          drift: [{ jobName: 'j\u001b', problem: 'missing', desired: 'x', actual: undefined }],
        },
      ],
    });
    expect(shown).toMatch(/^shop +partitioncache +1\.2\.0 /m);
    expect(shown).toMatch(
      /^shop +other +1\.2\.0 +5 failed +cross +paused, held by up +0 +- .* 1 job$/m,
    );
    expect(shown).toContain('  shop: j\\u001b is missing');
  });

  it('names what is gone or renamed with the commands, and what cannot be seen', () => {
    const shown = text({
      leftBehind: ['gone'],
      renamed: [{ workDatabase: 'old', nameNow: 'new' }],
      unseen: ['theirs'],
      notStarted: 'No scheduler.',
    });
    expect(shown).toContain('postgres": gone. Remove them with: run prune');
    expect(shown).toContain('"old" is called "new" now: its jobs are for run adopt');
    expect(shown).toContain('Other roles own here: schema "theirs".');
    expect(shown).toContain('No scheduler. Why, and what to do: run doctor');
  });
});

it('--watch is refused with --json, and where the output is no terminal', async () => {
  const refused = { code: 2, stderr: expect.stringContaining('--watch redraws a terminal') };
  expect(await cli(['fleet', '--watch', '5'])).toMatchObject(refused);
  expect(await cli(['fleet', '--watch', '5', '--json'], { terminal: true })).toMatchObject(refused);
  expect(await cli(['fleet', '--watch', '0'], { terminal: true })).toMatchObject({ code: 2 });
});

it('so many are under way at a time, and the results are in order', async () => {
  let now = 0;
  let most = 0;
  const results = await inParallel([5, 1, 4, 2, 3], 2, async (item) => {
    now += 1;
    most = Math.max(most, now);
    for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
    now -= 1;
    return item * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});
