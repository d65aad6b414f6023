import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PcacheError, type PcacheErrorDetails } from '../errors/pcache-error.js';
import { lineAt } from './split-statements.js';

const INCLUDE = /^\{\{include ([^}]*)\}\}$/gm;
const MIGRATION_FILE = /^\d{4}_[a-z0-9_]+\.(up|down)\.sql$/;

/** For files of this package that are not there. */
export const INSTALL_AGAIN = 'Install pcache-migrate again.';

export class IncludeError extends PcacheError {
  override readonly name = 'IncludeError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, problem: string, details?: PcacheErrorDetails) {
    super(`${file}:${line}: ${problem}`, details);
    this.file = file;
    this.line = line;
  }
}

/**
 * The text of a migration with each line `{{include NNNN_name.up.sql}}` replaced by that file. Migrations are never
 * edited once they have landed, so a later one can take an earlier one back, or bring it again, without a copy of it.
 */
export async function readWithIncludes(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  let whole = '';
  let end = 0;
  for (const include of text.matchAll(INCLUDE)) {
    const line = lineAt(text, include.index);
    whole += text.slice(end, include.index) + (await included(file, line, include[1] ?? ''));
    end = include.index + include[0].length;
  }
  return whole + text.slice(end);
}

async function included(file: string, line: number, name: string): Promise<string> {
  if (!MIGRATION_FILE.test(name)) {
    throw new IncludeError(
      file,
      line,
      `"${name}" cannot be included: only another migration of the same directory can.`,
    );
  }
  let text: string;
  try {
    text = await readFile(join(dirname(file), name), 'utf8');
  } catch (cause) {
    const problem = `${name} cannot be included (${(cause as Error).message}).`;
    throw new IncludeError(file, line, problem, { remedy: INSTALL_AGAIN, cause });
  }
  if (text.search(INCLUDE) >= 0) {
    throw new IncludeError(file, line, `${name} cannot be included: it includes others itself.`, {
      remedy: 'Include those instead.',
    });
  }
  return text;
}
