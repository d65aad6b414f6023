import { PlaceholderError, type PlaceholderValues } from './render-sql.js';
import { lineAt } from './split-statements.js';

// A migration describes itself in these lines: comments for PostgreSQL, directives for this package.
const DIRECTIVE = /^--!(.*)$/gm;

// These mark the text of a routine, for the tools that keep it equal to its source (CONTRIBUTING.md).
const ROUTINE_MARK = /^ (?:routine [a-z0-9_]+|end|dropped [a-z0-9_]+)$/;

const DROPS = /^ drops((?: [a-z_]+)+)$/;

/**
 * The tables of the clients' schema that a script drops, rows included, as it says in a line
 * `--! drops <placeholder> …`. Raises PlaceholderError for a directive that it cannot understand.
 */
export function droppedTables(text: string, values: PlaceholderValues, file: string): string[] {
  return [...text.matchAll(DIRECTIVE)].flatMap(({ 0: line, 1: directive = '', index }) => {
    if (ROUTINE_MARK.test(directive)) return [];
    const fail = (problem: string): never => {
      throw new PlaceholderError(file, lineAt(text, index), problem);
    };
    const drops = DROPS.exec(directive)?.[1];
    if (drops === undefined) return fail(`"${line}" is no directive that is known.`);
    return drops
      .trim()
      .split(' ')
      .map((name) => {
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        if (value === undefined || typeof value === 'string') {
          return fail(`"${line}": ${name} is no placeholder of a table.`);
        }
        return value[1];
      });
  });
}
