import { escapeIdentifier, escapeLiteral } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { lineAt } from './split-statements.js';

/** An identifier or a plain value; a pair is an object's schema and name. */
export type PlaceholderValue = string | readonly [schema: string, name: string];
export type PlaceholderValues = Readonly<Record<string, PlaceholderValue>>;

export class PlaceholderError extends PcacheError {
  override readonly name = 'PlaceholderError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, problem: string, remedy?: string) {
    super(`${file}:${line}: ${problem}`, { remedy });
    this.file = file;
    this.line = line;
  }
}

const PLACEHOLDER = /\{\{(?:([a-z][a-z0-9_]*)(?::([a-z]+))?\}\})?/g;

// Quoting protects within SQL, but not within a dollar-quoted body or a comment, where placeholders stand as well.
const ENDS_A_BODY_OR_COMMENT =
  /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[\0\r\n]|\/\*|\*\//;

const MAX_IDENTIFIER_BYTES = 63;

/**
 * Fills in the placeholders of a migration:
 * `{{name}}` as a quoted, for a pair qualified, identifier; `{{name:name}}` as the last part alone, quoted;
 * `{{name:literal}}` as a quoted literal, which for a pair holds the quoted qualified identifier;
 * `{{name:regclass}}` as the table of that name, to hand to functions.
 */
export function renderSql(text: string, values: PlaceholderValues, fileName: string): string {
  return text.replace(
    PLACEHOLDER,
    (found: string, name: string | undefined, form: string | undefined, offset: number) => {
      const fail = (problem: string, remedy?: string): never => {
        throw new PlaceholderError(fileName, lineAt(text, offset), problem, remedy);
      };
      if (name === undefined) {
        return fail('"{{" does not begin a placeholder.', 'Write {{name}} or {{name:literal}}.');
      }
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) {
        return fail(
          `unknown placeholder ${found}. Known are: ${Object.keys(values).sort().join(', ')}.`,
        );
      }
      const fault = unsafe(value, form);
      if (fault !== undefined) {
        return fail(`${found} cannot be filled in: ${fault.problem}`, fault.remedy);
      }
      const rendered = quote(value, form);
      return rendered ?? fail(`unknown form in ${found}. Known are: :literal, :name, :regclass.`);
    },
  );
}

interface Fault {
  readonly problem: string;
  readonly remedy: string;
}

function unsafe(value: PlaceholderValue, form: string | undefined): Fault | undefined {
  for (const part of typeof value === 'string' ? [value] : value) {
    if (ENDS_A_BODY_OR_COMMENT.test(part)) {
      return {
        problem: `${JSON.stringify(part)} contains a dollar quote, a line break or a comment mark.`,
        remedy: 'Choose another name.',
      };
    }
    const isIdentifier = form !== 'literal' || typeof value !== 'string';
    if (isIdentifier && Buffer.byteLength(part) > MAX_IDENTIFIER_BYTES) {
      return {
        problem: `"${part}" is longer than ${MAX_IDENTIFIER_BYTES} bytes, and PostgreSQL would cut it.`,
        remedy: 'Choose a shorter name.',
      };
    }
  }
  return undefined;
}

function quote(value: PlaceholderValue, form: string | undefined): string | undefined {
  const parts = typeof value === 'string' ? [value] : value;
  const identifier = parts.map(escapeIdentifier).join('.');
  switch (form) {
    case undefined:
      return identifier;
    case 'name':
      return parts.slice(-1).map(escapeIdentifier).join();
    case 'literal':
      return escapeLiteral(typeof value === 'string' ? value : identifier);
    case 'regclass':
      return `${escapeLiteral(identifier)}::pg_catalog.regclass`;
    default:
      return undefined;
  }
}
