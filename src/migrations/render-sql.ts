import { escapeIdentifier, escapeLiteral } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { lineAt } from './split-statements.js';
import { dollarQuoted, sqlTokens } from './sql-tokens.js';

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

const MAX_IDENTIFIER_BYTES = 63;

/**
 * Fills in the placeholders of a migration:
 * `{{name}}` as a quoted, for a pair qualified, identifier;
 * `{{name:literal}}` as a quoted literal, which for a pair holds the quoted qualified identifier;
 * `{{name:regclass}}` as the table of that name, to hand to functions.
 *
 * A value may contain anything but a zero byte: it is never searched for placeholders, and a placeholder stands
 * only where its quotes are read as quotes, that is, neither in a string or quoted name nor in a comment.
 * A dollar-quoted body that a value would end gets another tag.
 */
export function renderSql(text: string, values: PlaceholderValues, fileName: string): string {
  const failAt = (offset: number) => (problem: string, remedy?: string) => {
    throw new PlaceholderError(fileName, lineAt(text, offset), problem, remedy);
  };
  return renderPart(
    text,
    0,
    (placeholder) => fillIn(placeholder, values, failAt(placeholder.offset)),
    failAt,
  );
}

interface Placeholder {
  readonly found: string;
  readonly name: string | undefined;
  readonly form: string | undefined;
  readonly offset: number;
}

type Fail = (problem: string, remedy?: string) => never;

/** `start` is where the part begins in the file. */
function renderPart(
  text: string,
  start: number,
  fill: (placeholder: Placeholder) => string,
  failAt: (offset: number) => Fail,
): string {
  let rendered = '';
  let codeFrom = 0;
  const renderCodeUpTo = (end: number) => {
    rendered += text
      .slice(codeFrom, end)
      .replace(PLACEHOLDER, (found: string, name?: string, form?: string, index = 0) =>
        fill({ found, name, form, offset: start + codeFrom + index }),
      );
  };
  for (const token of sqlTokens(text)) {
    if ((token.kind === 'quoted' || token.kind === 'comment') && token.text.includes('{{')) {
      failAt(start + token.offset + token.text.indexOf('{{'))(
        'a placeholder stands in a string, a quoted name or a comment, which its value could end.',
        'Write {{name:literal}} outside of the string, and put them together with || or format().',
      );
    }
    if (token.kind === 'body') {
      renderCodeUpTo(token.offset);
      const { delimiter, content } = dollarQuoted(token.text);
      const inner = renderPart(content, start + token.offset + delimiter.length, fill, failAt);
      rendered += quoteByDollars(inner, delimiter);
      codeFrom = token.offset + token.text.length;
    }
  }
  renderCodeUpTo(text.length);
  return rendered;
}

function quoteByDollars(content: string, preferred: string): string {
  let delimiter = preferred;
  for (let count = 1; content.includes(delimiter); count += 1) delimiter = `$body${count}$`;
  return delimiter + content + delimiter;
}

function fillIn({ found, name, form }: Placeholder, values: PlaceholderValues, fail: Fail): string {
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
  if (fault !== undefined)
    return fail(`${found} cannot be filled in: ${fault.problem}`, fault.remedy);
  return quote(value, form) ?? fail(`unknown form in ${found}. Known are: :literal, :regclass.`);
}

interface Fault {
  readonly problem: string;
  readonly remedy: string;
}

function unsafe(value: PlaceholderValue, form: string | undefined): Fault | undefined {
  for (const part of typeof value === 'string' ? [value] : value) {
    if (part.includes('\0')) {
      return {
        problem: `${JSON.stringify(part)} contains a zero byte, as no text in PostgreSQL can.`,
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
    case 'literal':
      return escapeLiteral(typeof value === 'string' ? value : identifier);
    case 'regclass':
      return `${escapeLiteral(identifier)}::pg_catalog.regclass`;
    default:
      return undefined;
  }
}
