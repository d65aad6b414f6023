import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { createSite, type TestSite } from '../harness/deployment.js';
import { startShell } from '../harness/shell.js';

// The process around runCli: pipes that break, exit codes as a shell sees them.
let cli: BuiltCli;
let site: TestSite;

beforeAll(async () => {
  site = await createSite();
  cli = await buildCli();
});

afterAll(() => cli.remove());

const start = (command: string) =>
  startShell(command, {
    cwd: cli.folder,
    env: { MAIN: cli.main, NODE: process.execPath, ...site.environment() },
  });

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
  const { code, stderr } = await shell('echo y | $NODE $MAIN down --all --drop-data');
  expect(stderr).toContain('Remedy: If they may go, pass --yes;');
  expect(code).toBe(2);
});
