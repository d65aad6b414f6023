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
const TOKEN = new RegExp(
  [
    '(?<space>\\s+)',
    '(?<comment>--[^\\n]*)',
    '(?<block>/\\*)',
    "(?<quoted>[eE]'(?:[^'\\\\]|\\\\[\\s\\S]|'')*'|'[^']*'|\"[^\"]*\")",
    `(?<body>\\$(?<tag>${TAG})\\$[\\s\\S]*?\\$\\k<tag>\\$)`,
    '(?<word>[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)',
    '(?<other>[\\s\\S])',
  ].join('|'),
  'y',
);

/** The whole text, token by token. A quoted text with a doubled quote in it is two tokens. */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  let offset = 0;
  while (offset < sql.length) {
    TOKEN.lastIndex = offset;
    const groups = TOKEN.exec(sql)?.groups ?? {};
    const end = groups.block ? endOfBlockComment(sql, offset) : TOKEN.lastIndex;
    yield { kind: kindOf(groups), text: sql.slice(offset, end), offset };
    offset = end;
  }
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): TokenKind {
  if (groups.block !== undefined) return 'comment';
  const kinds = ['space', 'comment', 'quoted', 'body', 'word'] as const;
  return kinds.find((kind) => groups[kind] !== undefined) ?? 'other';
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
