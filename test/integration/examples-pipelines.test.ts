import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readStatus } from '../../src/operations/status.js';
import { type ConsumerProject, createConsumerProject } from '../harness/consumer-project.js';
import { adminClient, createRole } from '../harness/databases.js';
import { createSite, deploy, type TestSite } from '../harness/deployment.js';
import {
  assignmentsIn,
  type GitlabJob,
  readGitlabPipeline,
  readWorkflow,
  resolved,
  type WorkflowJob,
} from '../harness/pipeline-steps.js';
import { type Ended, startShell } from '../harness/shell.js';

// The jobs of the examples, each step by the shell that runs it there, in a repository that uses the package.

const EXIT_PLAN_MOVED = 5;

let project: ConsumerProject;
let site: TestSite;
/** Whoever plans may read, and no more. */
let planner: NodeJS.ProcessEnv;

beforeAll(async () => {
  project = await createConsumerProject();
  const { name, password } = await createRole('planner');
  await asAdmin(`GRANT pg_read_all_data TO ${name}`);
  planner = { PG_PLAN_USER: name, PG_PLAN_PASSWORD: password };
});

afterAll(async () => {
  await asAdmin(`DROP ROLE ${planner.PG_PLAN_USER}`);
  await project.remove();
});

beforeEach(async () => {
  site = await createSite();
});

const isUpToDate = async () => (await readStatus(site.settings())).upToDate;

function expectEnd({ code, stdout, stderr }: Ended, expected: number): void {
  expect(code, `${stdout}\n${stderr}`).toBe(expected);
}

describe('the workflow for GitHub Actions', { timeout: 120_000 }, () => {
  const workflow = readWorkflow('examples/github-actions/database.yml');

  it('shows the plan on a pull request, and deploys it on the main branch', async () => {
    const proposed = await runJob(workflow.jobs.plan, { event: 'pull_request' });
    expectEnd(proposed, 0);
    expect(await commentOnGithub()).toContain(proposed.outputs.hash);
    expect(await isUpToDate()).toBe(false);

    const planned = await runJob(workflow.jobs.plan, { event: 'push' });
    expect(planned.outputs.hash).toBe(proposed.outputs.hash);
    const needs = { plan: planned.outputs };
    expectEnd(await runJob(workflow.jobs.deploy, { event: 'push', needs }), 0);
    expect(await isUpToDate()).toBe(true);

    expectEnd(await runJob(workflow.jobs.plan, { event: 'push' }), 0);
  });

  it('does not deploy what was not planned', async () => {
    const planned = await runJob(workflow.jobs.plan, { event: 'push' });
    await deploy(site.settings(), { streams: ['work'] });
    const needs = { plan: planned.outputs };
    expectEnd(await runJob(workflow.jobs.deploy, { event: 'push', needs }), EXIT_PLAN_MOVED);
  });

  async function runJob(
    job: WorkflowJob | undefined,
    run: { event: string; needs?: Record<string, Record<string, string>> },
  ): Promise<Ended & { readonly outputs: Record<string, string> }> {
    if (job === undefined) throw new Error('there is no such job');
    const bin = await provideGh();
    const steps: Record<string, Record<string, string>> = {};
    let ended: Ended = { code: 0, stdout: '', stderr: '' };
    const resolve = (expression: string) => {
      const [root = '', name = '', , output = ''] = expression.split('.');
      const variables: NodeJS.ProcessEnv = site.environment(planner);
      if (root === 'vars' || root === 'secrets') return variables[name] ?? '';
      if (root === 'steps') return steps[name]?.[output] ?? '';
      if (root === 'needs') return run.needs?.[name]?.[output] ?? '';
      if (expression === 'github.token') return 'a token';
      if (expression === 'github.event.pull_request.number') return '17';
      throw new Error(`the test does not know ${expression}`);
    };
    for (const step of job.steps) {
      const onPullRequests = step.if?.includes("'pull_request'");
      if (step.run === undefined || (onPullRequests && run.event !== 'pull_request')) continue;
      const output = path.join(project.folder, 'output.txt');
      await writeFile(output, '');
      expect(workflow.defaults.run.shell).toBe('bash');
      ended = await runScript('set -eo pipefail', step.run, {
        PATH: `${bin}:${process.env.PATH}`,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: path.join(project.folder, 'summary.md'),
        ...resolved({ ...workflow.env, ...job.env, ...step.env }, resolve),
      });
      if (step.id !== undefined) steps[step.id] = assignmentsIn(await readFile(output, 'utf8'));
      if (ended.code !== 0) break;
    }
    return { ...ended, outputs: resolved(job.outputs, resolve) };
  }

  /** GitHub's own command line, as far as it goes without GitHub. */
  async function provideGh(): Promise<string> {
    const bin = path.join(project.folder, 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(
      path.join(bin, 'gh'),
      [
        '#!/bin/sh',
        'set -eu',
        '[ "$GH_TOKEN" = "a token" ]',
        '[ "$*" = "pr comment 17 --edit-last --create-if-none --body-file plan.md" ]',
        'cp plan.md comment.md',
      ].join('\n'),
    );
    await chmod(path.join(bin, 'gh'), 0o755);
    return bin;
  }

  const commentOnGithub = () => readFile(path.join(project.folder, 'comment.md'), 'utf8');
});

describe('the pipeline for GitLab', { timeout: 120_000 }, () => {
  const pipeline = readGitlabPipeline('examples/gitlab/.gitlab-ci.yml');

  it('shows the plan on a merge request, and deploys it on the default branch', async () => {
    const gitlab = await startGitlab();
    const proposed = await runJob(pipeline.jobs.plan, {
      CI_API_V4_URL: gitlab.url,
      CI_PROJECT_ID: '3',
      CI_MERGE_REQUEST_IID: '17',
      COMMENT_TOKEN: 'a token',
    });
    expectEnd(proposed, 0);
    await gitlab.stop();
    expect(gitlab.requests).toEqual([
      {
        line: 'POST /projects/3/merge_requests/17/notes',
        token: 'a token',
        body: expect.stringContaining(proposed.variables.PLAN_HASH ?? 'a hash'),
      },
    ]);

    const planned = await runJob(pipeline.jobs.plan);
    expectEnd(planned, 0);
    expect(planned.variables).toEqual(proposed.variables);
    expect(await isUpToDate()).toBe(false);
    expectEnd(await runJob(pipeline.jobs.deploy, planned.variables), 0);
    expect(await isUpToDate()).toBe(true);
  });

  it('does not deploy what was not planned', async () => {
    const planned = await runJob(pipeline.jobs.plan);
    await deploy(site.settings(), { streams: ['work'] });
    expectEnd(await runJob(pipeline.jobs.deploy, planned.variables), EXIT_PLAN_MOVED);
  });

  async function runJob(
    job: GitlabJob | undefined,
    variables: Record<string, string> = {},
  ): Promise<Ended & { readonly variables: Record<string, string> }> {
    if (job === undefined) throw new Error('there is no such job');
    const lines = [...(job.before_script ?? pipeline.default.before_script), ...job.script];
    const ended = await runScript('set -eo pipefail', lines.join('\n'), {
      ...site.environment(planner),
      ...variables,
    });
    const report = job.artifacts?.reports?.dotenv;
    const handedOn =
      report === undefined || ended.code !== 0
        ? {}
        : assignmentsIn(await readFile(path.join(project.folder, report), 'utf8'));
    return { ...ended, variables: handedOn };
  }
});

async function asAdmin(statement: string): Promise<void> {
  const admin = await adminClient('postgres');
  await admin.query(statement);
  await admin.end();
}

/** As a runner does it: a script in a file, run by bash in the folder of the repository. */
async function runScript(prelude: string, script: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const file = path.join(project.folder, 'step.sh');
  await writeFile(file, `${prelude}\n${script}\n`);
  return startShell('exec bash --noprofile --norc step.sh', {
    cwd: project.folder,
    env: { HOME: project.folder, ...env },
  }).ended;
}

async function startGitlab() {
  const requests: { line: string; token: unknown; body: string | null }[] = [];
  const server = createServer(async (request, response) => {
    const body = new URLSearchParams(await textOf(request)).get('body');
    const line = `${request.method} ${request.url}`;
    requests.push({ line, token: request.headers['private-token'], body });
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += part;
  return text;
}
