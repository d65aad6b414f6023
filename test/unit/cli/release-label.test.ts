import { describe, expect, it } from 'vitest';
import { releaseLabel } from '../../../src/cli/release-label.js';

const SHA = '6f1c0b1a7d5e4f3a2b1c0d9e8f7a6b5c4d3e2f10';

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/cache',
  GITHUB_RUN_ID: '42',
  GITHUB_SHA: SHA,
};

describe('the label of a release', () => {
  it('is the note', () => {
    expect(releaseLabel('hotfix for the queue', GITHUB)).toBe('hotfix for the queue');
  });

  it.each([
    ['GitHub Actions', GITHUB, 'https://github.com/acme/cache/actions/runs/42'],
    [
      'GitLab',
      {
        GITLAB_CI: 'true',
        CI_COMMIT_SHA: SHA,
        CI_JOB_URL: 'https://gitlab.example.org/a/b/-/jobs/7',
      },
      'https://gitlab.example.org/a/b/-/jobs/7',
    ],
    [
      'Jenkins',
      {
        JENKINS_URL: 'https://ci.example.org/',
        GIT_COMMIT: SHA,
        BUILD_URL: 'https://ci.example.org/job/deploy/12/',
      },
      'https://ci.example.org/job/deploy/12/',
    ],
    [
      'CircleCI',
      {
        CIRCLECI: 'true',
        CIRCLE_SHA1: SHA,
        CIRCLE_BUILD_URL: 'https://circleci.com/gh/acme/cache/3',
      },
      'https://circleci.com/gh/acme/cache/3',
    ],
    [
      'Azure Pipelines',
      {
        TF_BUILD: 'True',
        BUILD_SOURCEVERSION: SHA,
        SYSTEM_COLLECTIONURI: 'https://dev.azure.com/acme/',
        SYSTEM_TEAMPROJECT: 'Query Cache',
        BUILD_BUILDID: '99',
      },
      'https://dev.azure.com/acme/Query%20Cache/_build/results?buildId=99',
    ],
    [
      'Buildkite',
      {
        BUILDKITE: 'true',
        BUILDKITE_COMMIT: SHA,
        BUILDKITE_BUILD_URL: 'https://buildkite.com/acme/cache/builds/5',
      },
      'https://buildkite.com/acme/cache/builds/5',
    ],
    [
      'Bitbucket',
      {
        BITBUCKET_BUILD_NUMBER: '8',
        BITBUCKET_COMMIT: SHA,
        BITBUCKET_GIT_HTTP_ORIGIN: 'https://bitbucket.org/acme/cache',
      },
      'https://bitbucket.org/acme/cache/pipelines/results/8',
    ],
  ])('is else the commit and the address of the job, as %s names them', (_, env, address) => {
    expect(releaseLabel(undefined, env)).toBe(`${SHA} ${address}`);
  });

  it('is as much as the CI says', () => {
    const { GITHUB_SHA: _sha, ...withoutCommit } = GITHUB;
    expect(releaseLabel(undefined, withoutCommit)).toBe(
      'https://github.com/acme/cache/actions/runs/42',
    );
    expect(releaseLabel(undefined, { ...GITHUB, GITHUB_RUN_ID: '' })).toBe(SHA);
  });

  it('is none without a note and a CI', () => {
    expect(releaseLabel(undefined, {})).toBeUndefined();
    expect(releaseLabel(undefined, { GITHUB_ACTIONS: 'true' })).toBeUndefined();
    expect(releaseLabel(undefined, { CI: 'true', GIT_COMMIT: SHA })).toBeUndefined();
    expect(releaseLabel(' ', {})).toBeUndefined();
  });

  it.each([
    ['https://bot:s3cret@git.example.org/a', 'https://git.example.org/a'],
    [
      'https://s3cret@git.example.org/a and ssh://git@host/b',
      'https://git.example.org/a and ssh://host/b',
    ],
    ['HTTPS://bot:s3@cret@git.example.org', 'HTTPS://git.example.org'],
    ['postgresql://migrator:s3cret@db:5432/app?sslmode=require', 'postgresql://db:5432/app'],
    ['https://git.example.org/a?private_token=s3cret', 'https://git.example.org/a'],
    ['see /a?b=c&token=s3cret#top and more', 'see /a and more'],
    ['https://ci/?buildId=9&token=s3cret', 'https://ci/'],
    ['postgresql://bot:s3/cr@et@db/app', 'postgresql://db/app'],
    ['bot:s3cret@git.example.org/a', 'git.example.org/a'],
    ['from bot:s3/cret@db, by hand', 'from db, by hand'],
  ])('has no credentials: %s', (note, label) => {
    expect(releaseLabel(note, {})).toBe(label);
  });

  it.each([
    'https://example.org/@scope/package',
    'mail to someone@example.org: https://example.org/',
    'is it so? a=b, at 12:30 by a@b',
    'https://example.org:8443/a',
  ])('keeps what are none: %s', (note) => {
    expect(releaseLabel(note, {})).toBe(note);
  });

  it('is one printable line', () => {
    expect(releaseLabel('first\nsecond\u001b[2J\u202e', {})).toBe(
      'first\\nsecond\\u001b[2J\\u202e',
    );
  });

  it('has 500 characters at most, all of them whole', () => {
    expect(releaseLabel('😀'.repeat(500), {})).toBe('😀'.repeat(500));
    expect(releaseLabel('😀'.repeat(501), {})).toBe(`${'😀'.repeat(499)}…`);
  });
});
