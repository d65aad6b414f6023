import { nameOf, sqlTokens } from './sql-tokens.js';

/** `CREATE INDEX CONCURRENTLY` or `DROP INDEX CONCURRENTLY`, and the index that it is about. */
export interface IndexStatement {
  readonly action: 'create' | 'drop';
  readonly schema: string;
  readonly index: string;
}

const PARTS = /^(?:(?<create>create(?: unique)? index)|(?<drop>drop index))$/;

/**
 * What the statement does to which index; undefined if it is anything else, or leaves the index's schema to the
 * search_path. `IF [NOT] EXISTS` is not understood either: after a failure it would take an invalid index for done.
 */
export function indexStatement(sql: string): IndexStatement | undefined {
  const words = [...sqlTokens(sql)]
    .filter(({ kind }) => kind !== 'space' && kind !== 'comment')
    .map(({ text }) => text);
  const concurrently = words.findIndex((word) => word.toLowerCase() === 'concurrently');
  const head = PARTS.exec(words.slice(0, concurrently).join(' ').toLowerCase())?.groups;
  const [first = '', second, third = '', fourth = '', fifth = ''] = words.slice(concurrently + 1);
  if (head?.create !== undefined && second?.toLowerCase() === 'on' && fourth === '.') {
    return { action: 'create', schema: nameOf(third), index: nameOf(first) };
  }
  if (head?.drop !== undefined && second === '.' && fourth === '' && fifth === '') {
    return { action: 'drop', schema: nameOf(first), index: nameOf(third) };
  }
  return undefined;
}
