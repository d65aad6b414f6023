import { sqlTokens } from './sql-tokens.js';

export interface Statement {
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly offset: number;
}

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

  for (const { kind, text, offset } of sqlTokens(sql)) {
    if (text === ';' && parentheses === 0 && bodies === 0) {
      finish(offset);
    } else if (kind !== 'space' && kind !== 'comment') {
      start ??= offset;
      if (text === '(') parentheses += 1;
      if (text === ')') parentheses = Math.max(0, parentheses - 1);
      if (kind === 'word') {
        const word = text.toLowerCase();
        if (head.length < 4) head.push(word);
        if (parentheses === 0 && CREATES_ROUTINE.test(head.join(' '))) {
          if (word === 'begin' || (word === 'case' && bodies > 0)) bodies += 1;
          if (word === 'end') bodies = Math.max(0, bodies - 1);
        }
      }
    }
  }
  finish(sql.length);
  return statements;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
