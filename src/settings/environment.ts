import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import dotenv from 'dotenv';
import type { Problems } from './problem.js';

export interface EnvironmentInput {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The file given by `--env-file`; without it, `.env` in `cwd` is read if it exists. */
  readonly envFile?: string;
}

export interface EnvironmentValue {
  readonly value: string;
  readonly source: string;
}

export type Environment = ReadonlyMap<string, EnvironmentValue>;

/** The .env file, overridden by the environment. */
export function readEnvironment(input: EnvironmentInput, problems: Problems): Environment {
  const file = input.envFile ?? '.env';
  return new Map([
    ...labelled(readEnvFile(input, file, problems), file),
    ...labelled(input.env, 'environment'),
  ]);
}

function readEnvFile(
  input: EnvironmentInput,
  file: string,
  problems: Problems,
): Record<string, string> {
  try {
    // parse(), not config(): a library must neither change process.env nor print.
    return dotenv.parse(readFileSync(resolve(input.cwd, file), 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && input.envFile === undefined) return {};
    problems.add(
      input.envFile === undefined ? '.env' : '--env-file',
      code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read (${code ?? error})`,
      input.envFile === undefined
        ? 'Make it a readable file, or remove it.'
        : 'Give the path of a readable file, or leave the option out.',
    );
    return {};
  }
}

function labelled(
  values: Record<string, string | undefined>,
  source: string,
): [string, EnvironmentValue][] {
  // Compose files and CI systems can't unset a variable, only empty it.
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, { value, source }]],
  );
}
