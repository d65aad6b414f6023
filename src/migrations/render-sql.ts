import { escapeIdentifier, escapeLiteral } from 'pg';
import { lineAt } from './split-statements.js';

/** An identifier or a plain value; a pair is an object's schema and name. */
export type PlaceholderValue = string | readonly [schema: string, name: string];
export type PlaceholderValues = Readonly<Record<string, PlaceholderValue>>;

export class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
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
      const fail = (problem: string): never => {
        throw new PlaceholderError(fileName, lineAt(text, offset), problem);
      };
      if (name === undefined) {
        return fail('"{{" does not begin a placeholder; write {{name}} or {{name:literal}}.');
      }
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) {
        return fail(
          `unknown placeholder ${found}. Known are: ${Object.keys(values).sort().join(', ')}.`,
        );
      }
      const problem = unsafe(value, form);
      if (problem !== undefined) return fail(`${found} cannot be filled in: ${problem}`);
      const rendered = quote(value, form);
      return rendered ?? fail(`unknown form in ${found}. Known are: :literal, :name, :regclass.`);
    },
  );
}

function unsafe(value: PlaceholderValue, form: string | undefined): string | undefined {
  for (const part of typeof value === 'string' ? [value] : value) {
    if (ENDS_A_BODY_OR_COMMENT.test(part)) {
      return `${JSON.stringify(part)} contains a dollar quote, a line break or a comment mark. Choose another name.`;
    }
    const isIdentifier = form !== 'literal' || typeof value !== 'string';
    if (isIdentifier && Buffer.byteLength(part) > MAX_IDENTIFIER_BYTES) {
      return `"${part}" is longer than ${MAX_IDENTIFIER_BYTES} bytes, and PostgreSQL would cut it. Choose a shorter name.`;
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
