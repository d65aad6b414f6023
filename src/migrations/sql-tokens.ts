/** What PostgreSQL takes a piece of SQL for; `other` is one character of anything else. */
export type TokenKind = 'space' | 'comment' | 'quoted' | 'body' | 'word' | 'other';

export interface SqlToken {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

/** A dollar-quoted string, such as the body of a routine. */
export interface DollarQuoted {
  /** Both dollar signs and what is between them. */
  readonly delimiter: string;
  readonly content: string;
}

const TAG = '(?:[A-Za-z_\\u0080-\\uffff][\\w\\u0080-\\uffff]*)?';

// The first that matches. One expression with a named group for each kind takes more than twice as long, since it makes an
// object for each token; and the migrations are read by every command.
const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*/y],
  ['quoted', /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'[^']*'|"[^"]*"/y],
  ['body', new RegExp(`\\$(${TAG})\\$[\\s\\S]*?\\$\\1\\$`, 'y')],
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
];

/** The whole text, token by token. A quoted text with a doubled quote in it is two tokens. */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  let offset = 0;
  while (offset < sql.length) {
    const [kind, end] = tokenAt(sql, offset);
    yield { kind, text: sql.slice(offset, end), offset };
    offset = end;
  }
}

function tokenAt(sql: string, offset: number): [kind: TokenKind, end: number] {
  if (sql.startsWith('/*', offset)) return ['comment', endOfBlockComment(sql, offset)];
  for (const [kind, pattern] of KINDS) {
    pattern.lastIndex = offset;
    if (pattern.test(sql)) return [kind, pattern.lastIndex];
  }
  return ['other', offset + 1];
}

function endOfBlockComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/** The name that a word or a quoted name stands for, as PostgreSQL keeps it. */
export function nameOf(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token.toLowerCase();
}

/** The parts of a token of the kind `body`. */
export function dollarQuoted(text: string): DollarQuoted {
  const delimiter = text.slice(0, text.indexOf('$', 1) + 1);
  return { delimiter, content: text.slice(delimiter.length, -delimiter.length) };
}
