import { PlaceholderError, renderSql } from '../../src/migrations/render-sql.js';
import { lineAt } from '../../src/migrations/split-statements.js';
import { dollarQuoted, type SqlToken, sqlTokens } from '../../src/migrations/sql-tokens.js';

const MAX_LINE = 100;

/** What a file of SQL does against the style of this package, one sentence each. */
export function styleProblems(file: string, text: string): string[] {
  return [
    ...longLines(file, text),
    ...repeatedSignatures(file, text),
    ...missingSignatures(file, text),
    ...misplacedPlaceholders(file, text),
    ...namesInFormats(file, text),
    ...ambiguousBackslashes(file, text),
  ];
}

function longLines(file: string, text: string): string[] {
  return text
    .split('\n')
    .map((line, index) => ({ length: [...line].length, place: `${file}:${index + 1}` }))
    .filter(({ length }) => length > MAX_LINE)
    .map(({ place, length }) => `${place}: ${length} characters; at most ${MAX_LINE} are allowed.`);
}

/** GRANT, REVOKE and COMMENT need the parameters only where a name stands for several functions. */
function repeatedSignatures(file: string, text: string): string[] {
  const created = [...text.matchAll(/^CREATE OR REPLACE \w+ \{\{\w+\}\}\.(\w+)/gm)].map(
    ([, name]) => name,
  );
  return [
    ...text.matchAll(
      /^ *(?:COMMENT ON|GRANT \w+ ON|REVOKE ALL ON) (?:FUNCTION|PROCEDURE|ROUTINE) \{\{(?!client_)\w+\}\}\.(\w+)\(/gm,
    ),
  ]
    .filter(([, name]) => created.filter((other) => other === name).length < 2)
    .map(
      ([, name]) => `${file}: the parameters of ${name} are repeated, though its name says enough.`,
    );
}

const NAMED_IN_CLIENT_SCHEMA =
  /\b(?<!REPLACE\s+|CREATE\s+)(?:FUNCTION|PROCEDURE|ROUTINE|AGGREGATE)\s+(?:IF\s+EXISTS\s+)?\{\{client_schema\}\}\.(\w+)(?!\w|\s*\()/gi;

/** Whoever may create in the clients' schema may overload a name, and it would stand for several functions. */
function missingSignatures(file: string, text: string): string[] {
  return [...text.matchAll(NAMED_IN_CLIENT_SCHEMA)].map(
    (match) =>
      `${file}:${lineAt(text, match.index)}: ${match[1]} has no parameters, though clients may overload it.`,
  );
}

/** As when it is deployed: in a string or a comment, the quotes around a name would not protect it. */
function misplacedPlaceholders(file: string, text: string): string[] {
  const names = [...text.matchAll(/\{\{([a-z0-9_]+)/g)].map(([, name = '']) => name);
  try {
    renderSql(text, Object.fromEntries(names.map((name) => [name, ['schema', 'table']])), file);
    return [];
  } catch (error) {
    if (!(error instanceof PlaceholderError)) throw error;
    return [error.message];
  }
}

/** A % of a name would be read as a place to fill in. */
function namesInFormats(file: string, text: string): string[] {
  return tokensOf(text)
    .filter(({ before, holdsName }) => holdsName && /\bformat\(\s*$/i.test(before))
    .map(({ line }) => `${file}:${line}: a placeholder is the pattern of format(), or in it.`);
}

/** What a backslash in '…' means depends on standard_conforming_strings, which a role or database may turn off. */
function ambiguousBackslashes(file: string, text: string): string[] {
  return tokensOf(text)
    .filter(({ token }) => token.text.startsWith("'") && token.text.includes('\\'))
    .map(({ line }) => `${file}:${line}: a backslash in '…'; write E'…', or a bracket expression.`);
}

interface PlacedToken {
  readonly token: SqlToken;
  readonly line: number;
  /** What precedes it in its body. */
  readonly before: string;
  /** It begins a placeholder or has one in it. */
  readonly holdsName: boolean;
}

/** The tokens of a text, and after each body those within it. */
function tokensOf(text: string, firstLine = 1): PlacedToken[] {
  return [...sqlTokens(text)].flatMap((token) => {
    const line = firstLine + lineAt(text, token.offset) - 1;
    const placed = {
      token,
      line,
      before: text.slice(Math.max(0, token.offset - 200), token.offset),
      holdsName: text.startsWith('{{', token.offset) || token.text.includes('{{'),
    };
    return token.kind === 'body'
      ? [placed, ...tokensOf(dollarQuoted(token.text).content, line)]
      : [placed];
  });
}
