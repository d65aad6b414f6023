import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { shellWord } from '../../src/cli/shell-word.js';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { type ConsumerProject, createConsumerProject } from '../harness/consumer-project.js';
import { connectAs, createSite, type TestSite } from '../harness/deployment.js';
import { readManifests } from '../harness/pipeline-steps.js';
import { startShell } from '../harness/shell.js';
import { waitFor } from '../harness/wait-for.js';

const run = promisify(execFile);
const runtime = inject('runtime');

const DOCKERFILE = path.resolve('examples/container/Dockerfile');

// The image of the example, built and run as the Job of Kubernetes runs it: as another user, without rights, on a
// file system that cannot be written to.
describe.skipIf(runtime.kind !== 'docker')('the image', () => {
  const tag = `pcache-migrate-example:${process.pid}`;
  const nodeTag = `pcache-migrate-example-node:${process.pid}`;
  const stageTag = `pcache-migrate-example-build:${process.pid}`;
  const { Job } = readManifests('examples/kubernetes/job.yaml');
  const pod = Job.spec.template.spec;
  const [container] = pod.containers;

  let project: ConsumerProject;
  let site: TestSite;
  let variables: string;

  beforeAll(async () => {
    project = await createConsumerProject();
    await buildNodeImage(nodeTag);
    // The first stage with a name of its own, so that nothing nameless is left of it.
    await buildExample(stageTag, '--target=build');
    await buildExample(tag);
    site = await createSite();
    variables = path.join(project.folder, 'variables.env');
    await writeFile(variables, variablesOf(site));
  });

  afterAll(async () => {
    await docker(['image', 'rm', '--force', tag, stageTag, nodeTag]).catch(() => {});
    await project?.remove();
  });

  const buildExample = (name: string, ...options: readonly string[]) =>
    docker([
      'build',
      `--file=${DOCKERFILE}`,
      `--tag=${name}`,
      `--build-arg=NODE_IMAGE=${nodeTag}`,
      `--build-arg=BASE_IMAGE=${runtimeImage()}`,
      ...options,
      project.folder,
    ]);

  /** In the network of the server, which listens on loopback there. */
  function commandLine(args: readonly string[], options: readonly string[] = []): string[] {
    const { location } = site.cluster;
    if (location.kind !== 'docker') throw new Error('the server is not in a container');
    const { runAsUser, runAsGroup } = pod.securityContext;
    const { securityContext } = container;
    return [
      'run',
      '--rm',
      `--network=container:${location.container}`,
      `--env-file=${variables}`,
      `--user=${runAsUser}:${runAsGroup}`,
      ...(securityContext.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(securityContext.allowPrivilegeEscalation ? [] : ['--security-opt=no-new-privileges']),
      ...securityContext.capabilities.drop.map((name: string) => `--cap-drop=${name}`),
      ...options,
      tag,
      ...args,
    ];
  }

  const inImage = async (...args: string[]) => (await docker(commandLine(args))).trim();

  it('has the command line as its entry point, and another user than root', async () => {
    const [{ Config }] = JSON.parse(await docker(['image', 'inspect', tag]));
    expect(Config.User).toBe('10001:10001');
    expect(Config.Healthcheck).toEqual({ Test: ['NONE'] });
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(await inImage('--version')).toBe(version);
  });

  it('has of the package what it runs, and nothing to build with', async () => {
    const list = ['--entrypoint=sh', tag, '-c'];
    const [command = '', ...options] = commandLine([]).slice(0, -1);
    const shell = (script: string) => docker([command, ...options, ...list, script]);
    const files = await shell('ls -A node_modules node_modules/pcache-migrate');
    expect(files.trim().split('\n')).toEqual([
      'node_modules:',
      '.bin',
      '.package-lock.json',
      'pcache-migrate',
      '',
      'node_modules/pcache-migrate:',
      'LICENSE',
      'README.md',
      'cron-migrations',
      'dist',
      'migrations',
      'node_modules',
      'package.json',
    ]);
    expect(await shell('command -v npm npx gcc make || echo none')).toBe('none\n');
  });

  it('finds the databases in order, deploys them as the Job does, and once', async () => {
    expect(await inImage('doctor')).toContain('Ready: no check failed.');
    const lines = (await inImage(...container.args)).split('\n').map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ event: 'end', command: 'up', ok: true });
    expect(lines.filter(({ event }) => event === 'migration').length).toBeGreaterThan(10);
    const again = JSON.parse(await inImage('up', '--json'));
    expect(again.streams.flatMap(({ migrations }: { migrations: [] }) => migrations)).toEqual([]);
  });

  it('ends at SIGTERM, which comes to it and not to a shell', async () => {
    const { work } = site.settings();
    const holder = await connectAs(work);
    const id = String(lockId(streamSites(site.settings()).work.lock));
    await holder.query('SELECT pg_advisory_lock($1)', [id]);
    const name = `pcache-example-${process.pid}`;
    const command = commandLine(container.args, [`--name=${name}`]);
    const started = startShell(`exec docker ${command.map(shellWord).join(' ')}`, {
      cwd: project.folder,
      env: { HOME: process.env.HOME },
    });
    await waitFor('it to wait', async () => started.output.stdout.includes('waiting-for-lock'), {
      deadlineMs: 20_000,
    });
    await docker(['kill', '--signal=TERM', name]);
    const { code, stdout } = await started.ended;
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      event: 'end',
      error: { name: 'InterruptedError' },
    });
    expect(code).toBe(130);
    await holder.query('SELECT pg_advisory_unlock($1)', [id]);
  });
});

/** Stands in for the official image, which a machine without a registry cannot pull. */
async function buildNodeImage(tag: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pcache-node-image-'));
  try {
    await cp(process.execPath, path.join(folder, 'node'));
    const { stdout } = await run('npm', ['root', '--global']);
    await cp(path.join(stdout.trim(), 'npm'), path.join(folder, 'npm'), {
      recursive: true,
      dereference: true,
    });
    await writeFile(
      path.join(folder, 'Dockerfile'),
      [
        `FROM ${runtimeImage()}`,
        'USER root',
        'COPY node /usr/local/bin/node',
        'COPY npm /usr/local/lib/node_modules/npm',
        'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
        'ENTRYPOINT []',
      ].join('\n'),
    );
    await docker(['build', `--tag=${tag}`, folder]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A Debian that is there in any case. */
function runtimeImage(): string {
  if (runtime.kind !== 'docker') throw new Error('there is no image of the server');
  return runtime.image;
}

/** As the server's own network sees it. */
function variablesOf(site: TestSite): string {
  const environment = site.environment({ DB_PORT: String(site.cluster.serverPort) });
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function docker(args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 2 ** 26 });
  return stdout;
}
