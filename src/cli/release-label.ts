import { shown } from '../errors/shown.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What a CI says of itself. */
interface ContinuousIntegration {
  /** Set by this CI and no other. */
  readonly sign: string;
  readonly commit: string;
  /** Of the job, or of the run that it is part of; undefined if the CI does not say enough. */
  readonly address: (env: Env) => string | undefined;
}

const KNOWN: readonly ContinuousIntegration[] = [
  {
    sign: 'GITHUB_ACTIONS',
    commit: 'GITHUB_SHA',
    address: (env) =>
      joined(
        env.GITHUB_SERVER_URL,
        '/',
        env.GITHUB_REPOSITORY,
        '/actions/runs/',
        env.GITHUB_RUN_ID,
      ),
  },
  { sign: 'GITLAB_CI', commit: 'CI_COMMIT_SHA', address: (env) => env.CI_JOB_URL },
  { sign: 'CIRCLECI', commit: 'CIRCLE_SHA1', address: (env) => env.CIRCLE_BUILD_URL },
  { sign: 'BUILDKITE', commit: 'BUILDKITE_COMMIT', address: (env) => env.BUILDKITE_BUILD_URL },
  {
    sign: 'TF_BUILD',
    commit: 'BUILD_SOURCEVERSION',
    address: (env) =>
      joined(
        env.SYSTEM_COLLECTIONURI,
        encoded(env.SYSTEM_TEAMPROJECT),
        '/_build/results?buildId=',
        env.BUILD_BUILDID,
      ),
  },
  {
    sign: 'BITBUCKET_BUILD_NUMBER',
    commit: 'BITBUCKET_COMMIT',
    address: (env) =>
      joined(env.BITBUCKET_GIT_HTTP_ORIGIN, '/pipelines/results/', env.BITBUCKET_BUILD_NUMBER),
  },
  { sign: 'JENKINS_URL', commit: 'GIT_COMMIT', address: (env) => env.BUILD_URL },
];

const LONGEST = 500;

/**
 * Where a release comes from: the note that was given for it, else the commit and the address of the job that a CI
 * names in the environment. One line, without the credentials that an address may carry.
 */
export function releaseLabel(note: string | undefined, env: Env): string | undefined {
  const label = shown(withoutCredentials(note ?? ofJob(env) ?? '').trim());
  if (label === '') return undefined;
  const characters = [...label];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : label;
}

function ofJob(env: Env): string | undefined {
  const ci = KNOWN.find(({ sign }) => env[sign]);
  return ci && [env[ci.commit], ci.address(env)].filter(Boolean).join(' ');
}

/** Undefined if a part is missing: half an address leads nowhere. */
function joined(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.every(Boolean) ? parts.join('') : undefined;
}

function encoded(part: string | undefined): string | undefined {
  return part && encodeURIComponent(part);
}

const SCHEME = String.raw`(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/`;

// What stands before the last @ of an address may hold a slash; a name before it is followed by a colon.
const WITH_PASSWORD = new RegExp(String.raw`(${SCHEME})[^\s/?#@]*:[^\s]*@(?=[\w.[-])`, 'gi');
const WITH_NAME = new RegExp(String.raw`(${SCHEME})[^\s/?#]*@`, 'gi');
// `bot:s3cret@host`, as scp, curl and git take it.
const WITHOUT_SCHEME = /(?<![\w/@.:%-])[^\s/@:]+:[^\s@/:][^\s@]*@(?=[\w[-])/g;
// Tokens, signatures and passwords come as parameters of any name. Azure's address of a job has but a number.
const QUERY = /(?<=\S)(?!\?buildId=\d+(?:\s|$))[?][\w.~%[\]-]+=\S*/g;

function withoutCredentials(text: string): string {
  return text
    .replace(QUERY, '')
    .replace(WITH_PASSWORD, '$1')
    .replace(WITH_NAME, '$1')
    .replace(WITHOUT_SCHEME, '');
}
