import { PlaceholderError, type PlaceholderValues } from './render-sql.js';
import { lineAt } from './split-statements.js';

/** What a script says of itself in lines that begin with `--!`. */
export interface Directives {
  /** `--! drops <placeholder> …`: the tables of the clients' schema that it drops, rows included. */
  readonly drops: readonly string[];
  /** `--! breaks older packages`: those that do not have this migration must not work on the database. */
  readonly breaksOlder: boolean;
  /** Not with `--! no transaction`: PostgreSQL runs it outside of a transaction only. */
  readonly inTransaction: boolean;
}

// A comment for PostgreSQL, a directive for this package.
const DIRECTIVE = /^--!(.*)$/gm;

// These mark the text of a routine, for the tools that keep it equal to its source (CONTRIBUTING.md).
const ROUTINE_MARK = /^ (?:routine [a-z0-9_]+|end|dropped [a-z0-9_]+)$/;

const DROPS = /^ drops((?: [a-z_]+)+)$/;

const FLAGS: ReadonlySet<string> = new Set([' breaks older packages', ' no transaction']);

/** Raises PlaceholderError for a directive that it cannot understand. */
export function readDirectives(text: string, values: PlaceholderValues, file: string): Directives {
  const flags = new Set<string>();
  const drops: string[] = [];
  for (const { 0: line, 1: directive = '', index } of text.matchAll(DIRECTIVE)) {
    const fail = (problem: string): never => {
      throw new PlaceholderError(file, lineAt(text, index), problem);
    };
    const dropped = DROPS.exec(directive)?.[1];
    if (dropped !== undefined) {
      drops.push(...tablesNamed(dropped, values, (problem) => fail(`"${line}": ${problem}`)));
    } else if (FLAGS.has(directive)) {
      flags.add(directive);
    } else if (!ROUTINE_MARK.test(directive)) {
      fail(`"${line}" is no directive that is known.`);
    }
  }
  return {
    drops,
    breaksOlder: flags.has(' breaks older packages'),
    inTransaction: !flags.has(' no transaction'),
  };
}

function tablesNamed(
  placeholders: string,
  values: PlaceholderValues,
  fail: (problem: string) => never,
): string[] {
  return placeholders
    .trim()
    .split(' ')
    .map((name) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined || typeof value === 'string') {
        return fail(`${name} is no placeholder of a table.`);
      }
      return value[1];
    });
}
