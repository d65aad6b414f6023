import { dollarQuoted, type SqlToken, sqlTokens } from '../migrations/sql-tokens.js';
import { plainName } from '../text/plain-name.js';

export type ObjectKind = 'routine' | 'view';

/** What a statement says of a routine or view. */
export interface ObjectDefinition {
  readonly action: 'create' | 'drop';
  readonly kind: ObjectKind;
  readonly schema: string;
  readonly name: string;
  /** The types of the parameters that callers pass, as written; undefined where the statement leaves them out. */
  readonly types: readonly string[] | undefined;
  /** What is between the dollar signs, as PostgreSQL keeps it. */
  readonly body: string | undefined;
  /** The whole statement. */
  readonly text: string;
}

const HEAD =
  /^(?<action>create|drop)(?: or replace)?(?: (?:temp|temporary|recursive))* (?<kind>function|procedure|routine|view)(?: if exists)? ?$/;

/** The routines and views that a statement creates, replaces or drops. */
export function definedObjects(statement: string): ObjectDefinition[] {
  const tokens = [...sqlTokens(statement)].filter(
    ({ kind }) => kind !== 'space' && kind !== 'comment',
  );
  const { action, kind, next } = headOf(tokens);
  if (action === undefined) return [];
  const found: ObjectDefinition[] = [];
  let position = next;
  do {
    const name = readName(tokens, position);
    if (name === undefined || name.parts.length !== 2) return found;
    const [schema = '', object = ''] = name.parts;
    const parameters = kind === 'routine' ? readParentheses(tokens, name.next) : undefined;
    found.push({
      action,
      kind,
      schema,
      name: object,
      types: parameters && typesOf(parameters.inside),
      body: action === 'create' && kind === 'routine' ? bodyOf(tokens) : undefined,
      text: statement,
    });
    position = (parameters?.next ?? name.next) + 1;
  } while (action === 'drop' && tokens[position - 1]?.text === ',');
  return found;
}

interface Head {
  readonly action: 'create' | 'drop' | undefined;
  readonly kind: ObjectKind;
  readonly next: number;
}

function headOf(tokens: readonly SqlToken[]): Head {
  let text = '';
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word') break;
    text += `${token.text.toLowerCase()} `;
    const { action, kind } = HEAD.exec(text)?.groups ?? {};
    const follows = tokens[index + 1]?.text.toLowerCase();
    if ((action === 'create' || action === 'drop') && follows !== 'if') {
      return { action, kind: kind === 'view' ? 'view' : 'routine', next: index + 1 };
    }
  }
  return { action: undefined, kind: 'routine', next: 0 };
}

/** `schema.name`, its parts as PostgreSQL keeps them. */
export function readName(
  tokens: readonly SqlToken[],
  from: number,
): { parts: string[]; next: number } | undefined {
  const parts: string[] = [];
  let next = from;
  for (;;) {
    const token = tokens[next];
    if (token?.kind === 'word') {
      parts.push(token.text.toLowerCase());
      next += 1;
    } else if (token?.kind === 'quoted' && token.text.startsWith('"')) {
      let quoted = '';
      // A doubled quote within the name parts it into two tokens.
      let end = token.offset;
      for (let part = tokens[next]; part?.offset === end && part.text.startsWith('"'); ) {
        quoted += quoted === '' ? part.text.slice(1, -1) : `"${part.text.slice(1, -1)}`;
        end += part.text.length;
        next += 1;
        part = tokens[next];
      }
      parts.push(quoted);
    } else {
      return undefined;
    }
    if (tokens[next]?.text !== '.') return { parts, next };
    next += 1;
  }
}

export function readParentheses(
  tokens: readonly SqlToken[],
  from: number,
): { inside: SqlToken[]; next: number } | undefined {
  if (tokens[from]?.text !== '(') return undefined;
  let depth = 0;
  for (let next = from; next < tokens.length; next += 1) {
    if (tokens[next]?.text === '(') depth += 1;
    if (tokens[next]?.text === ')') depth -= 1;
    if (depth === 0) return { inside: tokens.slice(from + 1, next), next: next + 1 };
  }
  return undefined;
}

/**
 * Of `OUT p_a text, VARIADIC p_b text[] DEFAULT '{}'`: `text[]`, as PostgreSQL prints it if it is not an alias. Each
 * parameter has a name, as ours all have.
 */
function typesOf(parameters: readonly SqlToken[]): string[] {
  return splitAtCommas(parameters).flatMap((parameter) => {
    const words = [...parameter];
    const mode = words[0]?.text.toLowerCase();
    if (mode === 'out') return [];
    if (mode === 'in' || mode === 'inout' || mode === 'variadic') words.shift();
    const end = words.findIndex(({ text }) => text === '=' || text.toLowerCase() === 'default');
    const [first, ...rest] = end < 0 ? words : words.slice(0, end);
    return [typeText(rest.length > 0 || first === undefined ? rest : [first])];
  });
}

function typeText(tokens: readonly SqlToken[]): string {
  let depth = 0;
  const words = tokens.flatMap(({ kind, text }) => {
    // Of numeric(10, 2), the function keeps numeric.
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (depth > 0 || text === ')') return [];
    return kind === 'quoted' ? plainName(text.slice(1, -1)) : text.toLowerCase();
  });
  return words.join(' ').replaceAll(/ ?([[\].]) ?/g, '$1');
}

export function splitAtCommas(tokens: readonly SqlToken[]): SqlToken[][] {
  const parts: SqlToken[][] = [];
  let depth = 0;
  let part: SqlToken[] = [];
  for (const token of tokens) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (token.text === ',' && depth === 0) {
      parts.push(part);
      part = [];
    } else {
      part.push(token);
    }
  }
  return part.length === 0 ? parts : [...parts, part];
}

function bodyOf(tokens: readonly SqlToken[]): string | undefined {
  const body = tokens.find(({ kind }) => kind === 'body');
  return body && dollarQuoted(body.text).content;
}
