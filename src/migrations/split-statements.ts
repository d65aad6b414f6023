export interface Statement {
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly offset: number;
}

const IDENTIFIER_START = 'A-Za-z_\\u0080-\\uffff';
const TOKEN = new RegExp(
  [
    '(?<space>\\s+|--[^\\n]*)',
    '(?<comment>/\\*)',
    "(?<quoted>[eE]'(?:[^'\\\\]|\\\\[\\s\\S]|'')*'|'[^']*'|\"[^\"]*\"" +
      `|\\$(?<tag>[${IDENTIFIER_START}][\\w\\u0080-\\uffff]*)?\\$[\\s\\S]*?\\$\\k<tag>\\$)`,
    `(?<word>[${IDENTIFIER_START}][\\w$\\u0080-\\uffff]*)`,
    '(?<other>[\\s\\S])',
  ].join('|'),
  'y',
);

const CREATES_ROUTINE = /^create (or replace )?(function|procedure)\b/;

/**
 * Splits a script as psql does. Statements are sent one by one, since of a failed
 * string of several PostgreSQL mostly does not say which it was.
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = [];
  let start: number | undefined;
  let parentheses = 0;
  let bodies = 0; // BEGIN ATOMIC … END, CASE … END within
  let head: string[] = [];

  const finish = (end: number) => {
    if (start !== undefined) {
      statements.push({ text: sql.slice(start, end).trimEnd(), offset: start });
    }
    start = undefined;
    parentheses = 0;
    bodies = 0;
    head = [];
  };

  let position = 0;
  while (position < sql.length) {
    TOKEN.lastIndex = position;
    const token = TOKEN.exec(sql);
    const groups = token?.groups ?? {};
    const end = groups.comment ? endOfBlockComment(sql, position) : TOKEN.lastIndex;
    if (groups.other === ';' && parentheses === 0 && bodies === 0) {
      finish(position);
    } else if (!groups.space && !groups.comment) {
      start ??= position;
      if (groups.other === '(') parentheses += 1;
      if (groups.other === ')') parentheses = Math.max(0, parentheses - 1);
      if (groups.word) {
        const word = groups.word.toLowerCase();
        if (head.length < 4) head.push(word);
        if (parentheses === 0 && CREATES_ROUTINE.test(head.join(' '))) {
          if (word === 'begin' || (word === 'case' && bodies > 0)) bodies += 1;
          if (word === 'end') bodies = Math.max(0, bodies - 1);
        }
      }
    }
    position = end;
  }
  finish(sql.length);
  return statements;
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

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
