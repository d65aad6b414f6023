import { beforeAll, expect, it } from 'vitest';
import { readHistory } from '../../src/operations/history.js';
import { readStatus } from '../../src/operations/status.js';
import { verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { createSite, deploy, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationNames } from '../harness/package-migrations.js';
import { cli } from '../unit/cli/fake-world.js';

// Two releases over both databases, of which the second is partly undone. Each test continues where the previous one
// stopped.
let site: TestSite;
let settings: Settings;
let work: string[];
let cron: string[];
/** What the first release has left in the work database, and the second. */
let dumps: string[];

const FIRST = { work: 30 };

const run = (line: string) => cli(line.split(' '), { env: site.environment() });
const dump = () => dumpSchema(site.cluster, site.database);

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  work = await migrationNames('work');
  cron = await migrationNames('cron');
  await deploy(settings, { streams: ['work'], to: work[FIRST.work - 1], label: 'first' });
  dumps = [await dump()];
  await deploy(settings, { label: 'second' });
  dumps.push(await dump());
});

/** How many are applied, of each stream. */
const applied = async () =>
  (await readStatus(settings)).streams.map((stream) => stream.applied.length);

/** Of each release what it has applied, and whether it stands; the first one first. */
async function releases() {
  const found = await readHistory(settings);
  return found.releases
    .map(({ number, workMigrations, cronMigrations, undoneAt }) => ({
      number,
      work: workMigrations.length,
      cron: cronMigrations.length,
      stands: undoneAt === undefined,
    }))
    .reverse();
}

const halfUndone = async () => (await readHistory(settings)).halfUndone;

it('leaves to the second release what is not rolled back of it', async () => {
  expect((await run('down --stream cron --all')).code).toBe(0);
  expect((await run('down --stream work --count 2')).code).toBe(0);
  expect(await applied()).toEqual([work.length - 2, 0]);
  expect(await releases()).toEqual([
    { number: 1, work: FIRST.work, cron: 0, stands: true },
    { number: 2, work: work.length - FIRST.work, cron: cron.length, stands: true },
  ]);
  expect(await halfUndone()).toEqual({
    release: 2,
    rolledBack: [...work.slice(-2), ...cron],
    before: 1,
  });
  const { stdout } = await run('history');
  expect(stdout).toContain('Release 2 is half undone');
  expect(stdout).toContain('down --to 1');
});

it('gives what is applied again to the release that applies it, and undoes that alone', async () => {
  expect((await deploy(settings, { label: 'third' })).release).toBe(3);
  expect(await dump()).toBe(dumps[1]);
  expect(await halfUndone()).toBeUndefined();
  expect((await releases())[2]).toEqual({ number: 3, work: 2, cron: cron.length, stands: true });
  expect(await verify(settings)).toMatchObject({ clean: true });
  const { stdout, code } = await run('down');
  expect(stdout).toContain('Undone: release 3.');
  expect(code).toBe(0);
  expect(await applied()).toEqual([work.length - 2, 0]);
  expect((await releases()).map(({ stands }) => stands)).toEqual([true, true, false]);
  expect(await halfUndone()).toMatchObject({ release: 2, before: 1 });
});

it('undoes the rest of the second release as the last one, and leaves the first', async () => {
  const { stdout, code } = await run('down');
  expect(stdout).toContain('Undone: release 2.');
  expect(code).toBe(0);
  expect(await applied()).toEqual([FIRST.work, 0]);
  expect(await dump()).toBe(dumps[0]);
  expect((await releases()).map(({ stands }) => stands)).toEqual([true, false, false]);
  expect(await halfUndone()).toBeUndefined();
});

it('undoes both where it goes back to the first over a second that was completed by a third', async () => {
  expect((await deploy(settings, { label: 'fourth' })).release).toBe(4);
  expect((await run('down --stream cron --all')).code).toBe(0);
  expect((await run(`down --stream work --to ${work.at(-2)}`)).code).toBe(0);
  expect((await deploy(settings, { label: 'fifth' })).release).toBe(5);
  const planned = await run('plan --down --to 1');
  expect(planned.stdout).toContain(`${work.length - FIRST.work} migrations to roll back`);
  const { stdout, code } = await run('down --to 1');
  expect(stdout).toContain('Undone: releases 4, 5.');
  expect(code).toBe(0);
  expect(await applied()).toEqual([FIRST.work, 0]);
  expect(await dump()).toBe(dumps[0]);
  expect((await releases()).filter(({ stands }) => stands).map(({ number }) => number)).toEqual([
    1,
  ]);
});
