import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { globalOptions } from '../../src/cli/options.js';
import { VARIABLES } from '../../src/settings/variables.js';
import { loadedCommands } from '../harness/loaded-commands.js';
import {
  expressionsIn,
  readGitlabPipeline,
  readManifests,
  readWorkflow,
} from '../harness/pipeline-steps.js';

const NAMES = new Set<string>(VARIABLES.map(({ name }) => name));

describe('the workflow for GitHub Actions', () => {
  const workflow = readWorkflow('examples/github-actions/database.yml');
  const jobs = Object.entries(workflow.jobs);

  it('needs jobs that there are, and outputs that they have', () => {
    for (const [, { needs }] of jobs) {
      if (needs !== undefined) expect(Object.keys(workflow.jobs)).toContain(needs);
    }
    for (const expression of expressionsIn(workflow)) {
      const [, job = '', output = ''] = /^needs\.(\w+)\.outputs\.(\w+)$/.exec(expression) ?? [];
      if (job !== '') expect(Object.keys(workflow.jobs[job]?.outputs ?? {})).toContain(output);
    }
  });

  it('takes outputs from steps that there are and that write them', () => {
    for (const [, { outputs, steps }] of jobs) {
      for (const expression of expressionsIn(outputs)) {
        const [, id, output] = /^steps\.(\w+)\.outputs\.(\w+)$/.exec(expression) ?? [];
        const step = steps.find((candidate) => candidate.id === id);
        expect(step?.run).toMatch(new RegExp(`${output}=.*>> "\\$GITHUB_OUTPUT"`));
      }
    }
  });

  it('has steps that use an action or run commands, not both', () => {
    for (const [, { steps }] of jobs) {
      for (const { uses, run } of steps) expect([uses, run].filter(Boolean)).toHaveLength(1);
    }
  });

  it('sets variables that there are', () => {
    const set = jobs.flatMap(([, { env, steps }]) =>
      [env, ...steps.map((step) => step.env)].flatMap((each) => Object.keys(each ?? {})),
    );
    const others = ['PLAN_HASH', 'GH_TOKEN', 'PULL_REQUEST'];
    const own = [...Object.keys(workflow.env), ...set].filter((name) => !others.includes(name));
    expect(own.filter(isUnknown)).toEqual([]);
  });

  it('takes each secret from the secrets, and only to the jobs that need it', () => {
    const secretsOf = (part: unknown) =>
      expressionsIn(part).filter((expression) => expression.startsWith('secrets.'));
    expect(secretsOf(workflow.jobs.plan)).toEqual(['secrets.PG_PLAN_PASSWORD']);
    expect([...new Set(secretsOf(workflow.jobs.deploy))]).toEqual([
      'secrets.DB_PASSWORD',
      'secrets.PG_CRON_PASSWORD',
    ]);
    expect(secretsOf(workflow.env)).toEqual([]);
  });

  it('has secrets in the steps that run our command alone, and runs no script of a package', () => {
    for (const [, { env, steps }] of jobs) {
      expect(
        expressionsIn(env).filter((found) => /^(?:secrets|github\.token)/.test(found)),
      ).toEqual([]);
      for (const { run, env: own } of steps) {
        if (/\bnpm\b/.test(run ?? ''))
          expect([run, own]).toEqual(['npm ci --ignore-scripts', undefined]);
      }
    }
  });

  it('puts no expression into a script, where its value would be run', () => {
    for (const [, { steps }] of jobs) {
      for (const { run } of steps) expect(expressionsIn(run)).toEqual([]);
    }
  });
});

describe('the pipeline for GitLab', () => {
  const pipeline = readGitlabPipeline('examples/gitlab/.gitlab-ci.yml');
  const { stages, jobs } = pipeline;

  it('has jobs in stages that there are, which need jobs that there are', () => {
    for (const { stage, needs = [] } of Object.values(jobs)) {
      expect(stages).toContain(stage);
      for (const needed of needs) expect(Object.keys(jobs)).toContain(needed);
    }
  });

  it('runs no script of a package, since each would see the secrets', () => {
    const lines = Object.values(jobs).flatMap(({ before_script = [], script }) => [
      ...before_script,
      ...script,
    ]);
    const installing = [...pipeline.default.before_script, ...lines].filter((line) =>
      /\bnpm\b/.test(line),
    );
    expect(installing).toEqual(['npm ci --ignore-scripts']);
  });

  it('writes each report that it hands on', () => {
    for (const { artifacts, script } of Object.values(jobs)) {
      for (const file of [...(artifacts?.paths ?? []), artifacts?.reports?.dotenv ?? []].flat())
        expect(script.join('\n')).toMatch(new RegExp(`(?:> |--out )${file}`));
    }
  });
});

describe('the Job of Kubernetes', () => {
  const { ConfigMap, Secret, Job } = readManifests('examples/kubernetes/job.yaml');
  const { spec } = Job;
  const pod = spec.template.spec;
  const [container] = pod.containers;

  it('sets variables that there are, the secrets by the Secret', () => {
    expect(Object.keys({ ...ConfigMap.data, ...Secret.stringData }).filter(isUnknown)).toEqual([]);
    const secret = new Set<string>(
      VARIABLES.filter((entry) => entry.secret).map(({ name }) => name),
    );
    expect(Object.keys(ConfigMap.data).filter((name) => secret.has(name))).toEqual([]);
    expect(Object.keys(Secret.stringData).filter((name) => !secret.has(name))).toEqual([]);
    expect(container.envFrom).toEqual([
      { configMapRef: { name: ConfigMap.metadata.name } },
      { secretRef: { name: Secret.metadata.name } },
    ]);
  });

  it('has every variable that is required', () => {
    const required = VARIABLES.filter((entry) => entry.required !== undefined && !entry.uri);
    const backend = required.filter(({ name }) => !/_(?:BIT|ROARINGBIT)_CACHE/.test(name));
    expect(Object.keys(ConfigMap.data)).toEqual(
      expect.arrayContaining(backend.map(({ name }) => name)),
    );
  });

  it('has no rights beyond the network, and nothing to write to', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  it('runs as the user of the image', () => {
    const dockerfile = readFileSync('examples/container/Dockerfile', 'utf8');
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(dockerfile).toContain(`\nUSER ${runAsUser}:${runAsGroup}\n`);
  });

  it('fails at once for the exit codes that stay the same', () => {
    const [{ action, onExitCodes }] = spec.podFailurePolicy.rules;
    expect({ action, of: onExitCodes.containerName }).toEqual({ action: 'FailJob', of: 'up' });
    expect(container.name).toBe('up');
    // It is only for pods that are not started again.
    expect(pod.restartPolicy).toBe('Never');
  });

  it('gives up later than a run waits for another, and kills later than an interrupted run ends', () => {
    const wait = Number(container.args[container.args.indexOf('--wait-lock') + 1]);
    expect(spec.activeDeadlineSeconds).toBeGreaterThan(wait);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(10);
  });
});

describe('the command lines of the examples', () => {
  const lines = ['examples/github-actions/database.yml', 'examples/gitlab/.gitlab-ci.yml'].flatMap(
    (file) =>
      [...readFileSync(file, 'utf8').matchAll(/\.bin\/pcache-migrate (\w+)([^\n]*)/g)].map(
        ([, name = '', rest = '']) => ({ name, options: optionsIn(rest) }),
      ),
  );

  it('are found', () => {
    expect(lines.map(({ name }) => name)).toEqual(['plan', 'up', 'verify', 'plan', 'up', 'verify']);
  });

  it('have commands and options that there are', () => {
    for (const { name, options } of lines) {
      const command = loadedCommands.find((candidate) => candidate.name === name);
      expect(Object.keys({ ...command?.options, ...globalOptions })).toEqual(
        expect.arrayContaining(options),
      );
    }
  });
});

function optionsIn(rest: string): string[] {
  return [...rest.matchAll(/ --([a-z-]+)/g)].map(([, option = '']) => option);
}

function isUnknown(name: string): boolean {
  return !NAMES.has(name);
}
