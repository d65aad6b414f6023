import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { addMigration, type BuiltCli, buildCli } from '../harness/built-cli.js';
import { connectAs, createSite, enqueue, type TestSite, tablesOf } from '../harness/deployment.js';
import { closeGate } from '../harness/gate.js';
import { openGateway } from '../harness/gateway.js';
import { startSiteWithoutJobs } from '../harness/manual-site.js';
import { startSlots } from '../harness/runs.js';
import { type Started, startShell } from '../harness/shell.js';
import { waitFor } from '../harness/wait-for.js';

// A signal ends a command, and what it has under way on the server with it: nobody waits for a deployment that was
// given up, and the next one finds the lock free.

let cli: BuiltCli;
let site: TestSite;
let observer: pg.Client;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

beforeEach(async () => {
  site = await createSite();
  observer = await connectAs(site.settings().work);
});

const start = (command: string, changes: NodeJS.ProcessEnv = {}) =>
  startShell(`exec $NODE $MAIN ${command}`, {
    cwd: cli.folder,
    env: { MAIN: cli.main, NODE: process.execPath, ...site.environment(changes) },
  });

/** What the sessions of the site's commands are doing. */
async function sessions(): Promise<{ state: string; query: string; wait: string | null }[]> {
  const { rows } = await observer.query(
    `SELECT state, query, wait_event AS wait FROM pg_stat_activity
      WHERE application_name = 'pcache-migrate' AND usename = ANY ($1)`,
    [[site.migrator.name, site.cronRole.name]],
  );
  return rows;
}

function untilItRuns(query: string, waitEvent: string) {
  return waitFor(
    `${query} to wait`,
    async () => {
      const all = await sessions();
      return all.some((session) => session.query.includes(query) && session.wait === waitEvent);
    },
    { deadlineMs: 20_000 },
  );
}

async function lockIsFree(): Promise<boolean> {
  const id = String(lockId(streamSites(site.settings()).work.lock));
  const { rows } = await observer.query(
    'SELECT pg_try_advisory_lock($1) AND pg_advisory_unlock($1) AS free',
    [id],
  );
  return rows[0].free;
}

async function nothingIsDeployed(): Promise<boolean> {
  const { rows } = await observer.query(
    "SELECT to_regnamespace('partitioncache') IS NULL AS nothing",
  );
  return rows[0].nothing;
}

/** Nothing is waited for here: when the command has ended, the server is done. */
async function expectNoTrace({ ended }: Started, signal: string) {
  const { code, stdout, stderr } = await ended;
  expect(JSON.parse(stdout)).toEqual({
    command: 'up',
    ok: false,
    exitCode: 130,
    error: {
      name: 'InterruptedError',
      message: `Interrupted by ${signal}. What was under way is rolled back, unless it was just being committed.`,
      remedy: 'Ask pcache-migrate status what is done; run the command again to go on.',
    },
  });
  expect(stderr).toContain(`Error: Interrupted by ${signal}.`);
  expect(code).toBe(130);
  expect(await sessions()).toEqual([]);
  expect(await lockIsFree()).toBe(true);
  expect(await nothingIsDeployed()).toBe(true);
}

describe('while a migration', () => {
  const down = 'SELECT 1;';

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'takes long, %s ends it on the server, too',
    async (signal) => {
      await addMigration(cli, 'slow', { up: 'SELECT pg_catalog.pg_sleep(600);', down });
      const started = start('up --json');
      await untilItRuns('pg_sleep(600)', 'PgSleep');
      started.child.kill(signal);
      await expectNoTrace(started, signal);
    },
  );

  it('waits for a lock, SIGTERM ends it on the server, too', async () => {
    await addMigration(cli, 'blocked', {
      up: 'LOCK TABLE {{client_schema}}.blocker IN SHARE MODE;',
      down,
    });
    const blocker = await connectAs(site.settings().work);
    await blocker.query('CREATE TABLE public.blocker ()');
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE public.blocker');
    const started = start('up --json');
    await untilItRuns('blocker', 'relation');
    started.child.kill('SIGTERM');
    await expectNoTrace(started, 'SIGTERM');
  });
});

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'holds processing no longer than it lives, while it waits for runs: %s',
  async (signal) => {
    const manual = await startSiteWithoutJobs();
    const gate = await closeGate(manual);
    await enqueue(manual.app, manual.settings, [
      { hash: 'slow', key: 'zipcode', datatype: 'integer', query: gate.query },
    ]);
    const slots = await startSlots(manual, [1]);
    await gate.waitForVisitors();
    site = manual.site;
    const started = start('down --all --yes --json-lines');
    await waitFor('it to drain', async () => started.output.stdout.includes('waiting-for-runs'), {
      deadlineMs: 20_000,
    });
    const held = async () => {
      const { rows } = await manual.work.query('SELECT holder FROM partitioncache.holds_1');
      return rows.map(({ holder }) => holder);
    };
    const enabled = `SELECT enabled FROM ${tablesOf(manual.settings).processorConfig}`;
    expect(await held()).toEqual(['down']);
    started.child.kill(signal);
    await started.ended;
    await waitFor('nothing to hold', async () => (await held()).length === 0, {
      deadlineMs: 20_000,
    });
    expect((await manual.work.query(enabled)).rows).toEqual([{ enabled: true }]);
    await gate.open();
    await waitFor(
      'the fragment is cached',
      async () => {
        const { rows } = await manual.work.query(
          `SELECT status FROM ${tablesOf(manual.settings).queries}`,
        );
        return rows[0]?.status === 'ok';
      },
      { deadlineMs: 20_000 },
    );
    await slots.stop();
  },
);

it('leaves nothing running on the server when it is killed', async () => {
  await addMigration(cli, 'slow', { up: 'SELECT pg_catalog.pg_sleep(600);', down: 'SELECT 1;' });
  const started = start('up');
  await untilItRuns('pg_sleep(600)', 'PgSleep');
  started.child.kill('SIGKILL');
  await started.ended;
  await waitFor('the server to notice', async () => (await sessions()).length === 0, {
    deadlineMs: 20_000,
  });
  expect(await lockIsFree()).toBe(true);
  expect(await nothingIsDeployed()).toBe(true);
});

it('ends while it waits for another run', async () => {
  const id = String(lockId(streamSites(site.settings()).work.lock));
  await observer.query('SELECT pg_advisory_lock($1)', [id]);
  const started = start('up --json');
  await waitFor('it to wait', async () => started.output.stderr.includes('Waiting up to 60 s'), {
    deadlineMs: 20_000,
  });
  started.child.kill('SIGTERM');
  await expectNoTrace(started, 'SIGTERM');
});

it('ends before it has begun', async () => {
  const atOnce = `process.on('newListener', (name) => {
    if (name === 'SIGTERM') setImmediate(() => process.kill(process.pid, name));
  });`;
  const started = start('up --json', {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(atOnce)}`,
  });
  await expectNoTrace(started, 'SIGTERM');
});

it('ends at once at the second signal, though the server does not answer', async () => {
  await addMigration(cli, 'slow', { up: 'SELECT pg_catalog.pg_sleep(600);', down: 'SELECT 1;' });
  const gateway = await openGateway(site.cluster);
  const address = { DB_HOST: '127.0.0.1', DB_PORT: String(gateway.port) };
  const started = start('up --json', address);
  await untilItRuns('pg_sleep(600)', 'PgSleep');
  gateway.fallSilent();
  started.child.kill('SIGTERM');
  await waitFor('it to tell the server', async () => gateway.unanswered() > 0, {
    deadlineMs: 20_000,
  });
  started.child.kill('SIGTERM');
  expect(await started.ended).toMatchObject({ code: 130, stdout: '' });
  await gateway.close();
});
