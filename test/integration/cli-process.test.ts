import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { connectAs, createSite, type TestSite } from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';

// The process around runCli: signals, pipes that break, exit codes as a shell sees them.
let cli: BuiltCli;
let site: TestSite;

beforeAll(async () => {
  site = await createSite();
  cli = await buildCli();
});

afterAll(() => cli.remove());

function start(command: string) {
  const child = spawn('bash', ['--norc', '-o', 'pipefail', '-c', command], {
    cwd: cli.folder,
    env: { PATH: process.env.PATH, MAIN: cli.main, NODE: process.execPath, ...site.environment() },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, output, ended };
}

const shell = (command: string) => start(command).ended;

it('ends with the exit code', async () => {
  expect((await shell('$NODE $MAIN --version')).code).toBe(0);
  expect((await shell('$NODE $MAIN nix')).code).toBe(2);
  expect((await shell('DB_PORT=1 $NODE $MAIN status')).code).toBe(1);
  expect((await shell('$NODE $MAIN status')).code).toBe(3);
});

it('writes one JSON document to a pipe, whole', async () => {
  const { code, stdout } = await shell('$NODE $MAIN status --json | cat');
  expect(JSON.parse(stdout)).toMatchObject({ command: 'status', exitCode: 3 });
  expect(code).toBe(3);
});

it('is quiet when nobody reads its output any more', async () => {
  expect(await shell('$NODE $MAIN --help | true')).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

it('fails when its output cannot be written', async () => {
  const { code, stderr } = await shell('$NODE $MAIN config > /dev/full');
  expect(stderr).toBe(
    'Error: the output could not be written: ENOSPC: no space left on device, write\n',
  );
  expect(code).toBe(1);
});

it('requires --yes when the input is not a terminal', async () => {
  expect((await shell('$NODE $MAIN setup')).code).toBe(0);
  const { code, stderr } = await shell('echo y | $NODE $MAIN down --all');
  expect(stderr).toContain('Remedy: If they may go, pass --yes.');
  expect(code).toBe(2);
});

it('ends on Ctrl-C with exit code 130 and no connection left', async () => {
  const settings = site.settings();
  const holder = await connectAs(settings.work);
  await holder.query('SELECT pg_advisory_lock($1)', [
    String(lockId(streamSites(settings).work.lock)),
  ]);
  const { child, output, ended } = start('exec $NODE $MAIN up');
  await waitFor('it to wait', async () => output.stderr.includes('Waiting up to 60 s'), {
    deadlineMs: 20_000,
  });
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect(stderr).toContain('Error: Interrupted.');
  expect(stdout).toBe('');
  expect(code).toBe(130);
  await waitFor(
    'its connections to end',
    async () => {
      const { rows } = await holder.query(
        "SELECT FROM pg_stat_activity WHERE application_name = 'pcache-migrate' AND usename = ANY ($1)",
        [[site.migrator.name, site.cronRole.name]],
      );
      return rows.length === 0;
    },
    { deadlineMs: 5000 },
  );
});
