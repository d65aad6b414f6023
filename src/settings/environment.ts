import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import dotenv from 'dotenv';
import type { Problems } from './problem.js';
import { VARIABLES } from './variables.js';

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
    const text = readFileSync(resolve(input.cwd, file), 'utf8');
    // parse(), not config(): a library must neither change process.env nor print.
    const values = dotenv.parse(text);
    for (const { name } of VARIABLES.filter(({ name }) => !input.env[name])) {
      refuseCutValue(name, values[name], text, file, problems);
    }
    return values;
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

/**
 * dotenv ends a value without quotes at any #, a shell and the application's own reader of the same file only at one
 * after a space. A name or password that we read shorter than it is must not lead to another database.
 */
function refuseCutValue(
  name: string,
  value: string | undefined,
  text: string,
  file: string,
  problems: Problems,
): void {
  const lines = text.split(/\r\n?|\n/u).map((line) => line.replace(/^\s*(?:export\s+)?/u, ''));
  const cut = lines.some((line) => {
    const [, own, rest] = /^([\w.-]+)\s*=\s*(.*)$/u.exec(line) ?? [];
    return own === name && value !== undefined && value !== '' && rest?.startsWith(`${value}#`);
  });
  if (!cut) return;
  problems.add(
    name,
    `ends in ${file} before a #, which may be part of the value`,
    `Write the value in quotes: ${name}='…'; or, if the # begins a comment, write a space before it.`,
  );
}
