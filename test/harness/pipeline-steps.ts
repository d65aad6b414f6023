import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

/** What an expression `${{ … }}` of a workflow stands for, by its text: `vars.DB_HOST`. */
export type Resolve = (expression: string) => string;

export interface WorkflowStep {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface WorkflowJob {
  readonly if?: string;
  readonly needs?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly steps: readonly WorkflowStep[];
}

export interface Workflow {
  readonly defaults: { readonly run: { readonly shell: string } };
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

export interface GitlabJob {
  readonly stage: string;
  readonly needs?: readonly string[];
  readonly before_script?: readonly string[];
  readonly script: readonly string[];
  readonly artifacts?: {
    readonly paths: readonly string[];
    readonly reports?: { readonly dotenv: string };
  };
}

export interface GitlabPipeline {
  readonly stages: readonly string[];
  readonly default: { readonly before_script: readonly string[] };
  readonly jobs: Readonly<Record<string, GitlabJob>>;
}

// These words of the top level are no jobs.
const GITLAB_KEYWORDS = ['stages', 'default', 'variables', 'workflow', 'include'];

export function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, 'utf8'), { uniqueKeys: true });
}

export function readGitlabPipeline(file: string): GitlabPipeline {
  const all = parse(readFileSync(file, 'utf8'), { uniqueKeys: true });
  const jobs = Object.entries(all).filter(([name]) => !GITLAB_KEYWORDS.includes(name));
  return { ...all, jobs: Object.fromEntries(jobs) };
}

/** The documents of a file of Kubernetes, by their kind. */
// biome-ignore lint/suspicious/noExplicitAny: what a manifest holds has no type here
export function readManifests(file: string): Record<string, any> {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  const problems = documents.flatMap(({ errors }) => errors);
  if (problems[0] !== undefined) throw problems[0];
  return Object.fromEntries(
    documents.map((document) => {
      const content = document.toJS();
      return [content.kind, content];
    }),
  );
}

/** Each expression in a workflow, in its jobs, steps and variables. */
export function expressionsIn(part: unknown): string[] {
  if (typeof part === 'string') {
    return [...part.matchAll(EXPRESSION)].map(([, expression = '']) => expression);
  }
  if (typeof part !== 'object' || part === null) return [];
  return Object.values(part).flatMap(expressionsIn);
}

export function resolved(
  values: Readonly<Record<string, string>> | undefined,
  resolve: Resolve,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [
      name,
      value.replace(EXPRESSION, (_, expression: string) => resolve(expression)),
    ]),
  );
}

const EXPRESSION = /\$\{\{ (\S+) \}\}/g;

/** `name=value` lines, as both GITHUB_OUTPUT and dotenv reports have them. */
export function assignmentsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
  );
}
