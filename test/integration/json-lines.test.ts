import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonLine } from '../../src/cli/json-shape.js';
import { runCli } from '../../src/cli/run-cli.js';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import type { StreamName } from '../../src/migrations/streams.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { addMigration, type BuiltCli, buildCli } from '../harness/built-cli.js';
import { connectAs, createSite, enqueue, type TestSite } from '../harness/deployment.js';
import { closeGate } from '../harness/gate.js';
import { startSiteWithoutJobs } from '../harness/manual-site.js';
import { migrationNames } from '../harness/package-migrations.js';
import { startSlots } from '../harness/runs.js';
import { startShell } from '../harness/shell.js';
import { waitFor } from '../harness/wait-for.js';
import { fakeWorld } from '../unit/cli/fake-world.js';

// What a pipeline is told while a command runs, and not only in the end.

let cli: BuiltCli;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

/** Begins a command; `lines` is what it has printed so far. */
function start(site: TestSite, commandLine: string) {
  const world = fakeWorld({ env: site.environment(), now: () => new Date() });
  const lines = () => linesOf(world.stdout.text);
  return { lines, code: runCli([...commandLine.split(' '), '--json-lines'], world) };
}

function linesOf(stdout: string): JsonLine[] {
  const [unfinished, ...whole] = stdout.split('\n').reverse();
  expect(unfinished).toBe('');
  return whole.reverse().map((line) => JSON.parse(line));
}

function untilTold(lines: () => JsonLine[], event: JsonLine['event']): Promise<JsonLine> {
  return waitFor(
    `an event ${event}`,
    async () => lines().find((line) => line.event === event) as JsonLine,
    { deadlineMs: 20_000 },
  );
}

async function migrationEvents(stream: StreamName) {
  const names = await migrationNames(stream);
  return names.map((migration, index) => ({
    event: 'migration',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    stream,
    direction: 'up',
    index: index + 1,
    total: names.length,
    migration,
  }));
}

it('up waits for the lock and says who holds it, names each migration, and ends with its report', async () => {
  const site = await createSite();
  const settings = site.settings();
  const holder = await connectAs(settings.work);
  const { rows } = await holder.query('SELECT pg_advisory_lock($1), pg_backend_pid() AS pid', [
    String(lockId(streamSites(settings).work.lock)),
  ]);
  const up = start(site, 'up');
  expect(await untilTold(up.lines, 'waiting-for-lock')).toMatchObject({
    waitSeconds: 60,
    holder: { pid: rows[0].pid, user: site.migrator.name, connectedSince: expect.any(String) },
  });
  await holder.query('SELECT pg_advisory_unlock_all()');
  expect(await up.code).toBe(0);
  const [waiting, ...others] = up.lines();
  expect(waiting?.event).toBe('waiting-for-lock');
  expect(others.slice(0, -1)).toEqual([
    ...(await migrationEvents('work')),
    ...(await migrationEvents('cron')),
  ]);
  expect(others.at(-1)).toMatchObject({
    event: 'end',
    command: 'up',
    ok: true,
    streams: [{ stream: 'work' }, { stream: 'cron' }],
  });
});

it('a lock that could not be had is a line of the log', async () => {
  const site = await createSite();
  const blocker = await connectAs(site.settings().work);
  await addMigration(cli, 'blocked', {
    up: 'LOCK TABLE {{client_schema}}.blocker;',
    down: 'SELECT 1;',
  });
  await blocker.query('CREATE TABLE public.blocker ()');
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE public.blocker');
  const { rows } = await blocker.query('SELECT pg_backend_pid() AS pid');
  const up = startShell('exec $NODE $MAIN up --json-lines', {
    cwd: cli.folder,
    env: { MAIN: cli.main, NODE: process.execPath, ...site.environment() },
  });
  expect(await untilTold(() => linesOf(up.output.stdout), 'log')).toMatchObject({
    message: expect.stringMatching(
      new RegExp(
        `No lock in attempt 1 of 9, .* The lock is held by pid ${rows[0].pid}, role "${site.migrator.name}", .*idle in transaction, its last statement began at `,
      ),
    ),
  });
  up.child.kill('SIGTERM');
  const { code, stdout } = await up.ended;
  expect(code).toBe(130);
  expect(linesOf(stdout).at(-1)).toMatchObject({
    event: 'end',
    command: 'up',
    exitCode: 130,
    error: { name: 'InterruptedError' },
  });
});

it('down says which runs it waits for', async () => {
  const manual = await startSiteWithoutJobs();
  const { settings, site } = manual;
  const gate = await closeGate(manual);
  await enqueue(manual.app, settings, [
    { hash: 'slow', key: 'zipcode', datatype: 'integer', query: gate.query },
  ]);
  const slots = await startSlots(manual, [1]);
  await gate.waitForVisitors();
  const down = start(site, 'down --all --yes');
  expect(await untilTold(down.lines, 'waiting-for-runs')).toMatchObject({
    waitSeconds: 60,
    runs: [
      {
        kind: 'processor',
        processor: defaultJobName(settings),
        slot: 1,
        pid: slots.pids[0],
      },
    ],
    cancelled: false,
  });
  await gate.open();
  expect(await down.code).toBe(0);
  expect(down.lines().at(-1)).toMatchObject({ event: 'end', command: 'down', ok: true });
  await slots.stop().catch(() => {});
});
