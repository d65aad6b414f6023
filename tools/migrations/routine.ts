import { isDeepStrictEqual } from 'node:util';

export type RoutineKind = 'FUNCTION' | 'PROCEDURE' | 'VIEW';

/** The source of a function, procedure or view: one file, with its comment and its privileges. */
export interface Routine {
  readonly name: string;
  readonly text: string;
}

/** What PostgreSQL has to be told to drop, in the words of the source. */
interface Definition {
  readonly kind: RoutineKind;
  /** `{{schema}}.name` */
  readonly qualified: string;
  /** Parameters without their defaults; empty for a view. */
  readonly parameters: string;
  /** Name, parameters and result: what CREATE OR REPLACE cannot change. */
  readonly heading: string;
}

const CREATES = /^CREATE OR REPLACE (FUNCTION|PROCEDURE|VIEW) (\{\{[a-z_]+\}\}\.([a-z0-9_]+))/gm;
const GRANT = /^GRANT ([^;]*?)\s+TO ([^;]*);/gm;

export class RoutineSourceError extends Error {
  override readonly name = 'RoutineSourceError';
}

/** Raises RoutineSourceError unless the text creates, by CREATE OR REPLACE, `name` and nothing else. */
export function parseRoutine(name: string, text: string): Routine {
  const names = [...text.matchAll(CREATES)].map((match) => match[3]);
  if (names.length === 0 || names.some((found) => found !== name)) {
    throw new RoutineSourceError(
      `${name}.sql must create ${name} by CREATE OR REPLACE, with its schema as a placeholder, and nothing else; it creates ${names.join(', ') || 'nothing'}.`,
    );
  }
  return { name, text: `${text.trimEnd()}\n` };
}

/** The statements that drop it; with parameters only where the name is overloaded, or clients may overload it. */
export function dropStatements(routine: Routine): string[] {
  const definitions = definitionsOf(routine);
  return definitions
    .map(({ kind, qualified, parameters }) =>
      definitions.length > 1 || (kind !== 'VIEW' && qualified.startsWith('{{client_schema}}'))
        ? `DROP ${kind} ${qualified}(${parameters});`
        : `DROP ${kind} ${qualified};`,
    )
    .reverse();
}

/** Whether CREATE OR REPLACE can turn one into the other: it refuses another heading. */
export function isReplaceable(before: Routine, after: Routine): boolean {
  const headings = (routine: Routine) =>
    JSON.stringify(definitionsOf(routine).map(({ kind, heading }) => [kind, heading]));
  return headings(before) === headings(after);
}

/**
 * Where the two grant different things: the statements that take away all that `before` granted, since
 * CREATE OR REPLACE keeps privileges; `after` then grants its own, in its order. The owner may be one of the
 * roles, and keeps its own.
 */
export function revokeStatements(before: Routine, after: Routine): string[] {
  const [old, next] = [grantsOf(before), grantsOf(after)];
  if (isDeepStrictEqual(new Set(old), new Set(next))) return [];
  const objects = new Set(old.map((grant) => grant.replace(/ TO .*$/, '')));
  return [
    ...old.map((grant) => `REVOKE ${grant.replace(/ TO (?=\S+$)/, ' FROM ')};`),
    ...[...objects].map((object) => `GRANT ${object} TO CURRENT_USER;`),
  ];
}

/** Whether it is a view that reads one of these, so that they cannot be dropped before it. */
export function isViewOf(routine: Routine, names: ReadonlySet<string>): boolean {
  const isView = definitionsOf(routine).some(({ kind }) => kind === 'VIEW');
  return isView && [...names].some((name) => name !== routine.name && mentions(routine, name));
}

/** `EXECUTE ON FUNCTION {{schema}}.f TO {{cron_role}}`, one for each role. */
function grantsOf({ text }: Routine): string[] {
  return [...text.matchAll(GRANT)].flatMap(([, what = '', roles = '']) =>
    roles.split(',').map((role) => `${what.replace(/\s+/g, ' ')} TO ${role.trim()}`),
  );
}

/** Those that others call or read come first: PostgreSQL checks the body of an SQL function when it is made. */
export function inOrderOfUse(routines: readonly Routine[]): Routine[] {
  const ordered = new Set<Routine>();
  const underWay = new Set<Routine>();
  const visit = (routine: Routine) => {
    if (ordered.has(routine) || underWay.has(routine)) return;
    underWay.add(routine);
    for (const other of routines) if (mentions(routine, other.name)) visit(other);
    ordered.add(routine);
  };
  for (const routine of [...routines].sort((a, b) => a.name.localeCompare(b.name))) visit(routine);
  return [...ordered];
}

function mentions(routine: Routine, name: string): boolean {
  return new RegExp(`\\}\\}\\.${name}\\b`).test(routine.text);
}

function definitionsOf({ text }: Routine): Definition[] {
  return [...text.matchAll(CREATES)].map((match) => {
    const [start, kind, qualified] = match as unknown as [string, RoutineKind, string];
    const rest = text.slice(match.index + start.length);
    const parameters = kind === 'VIEW' ? '' : parenthesized(rest);
    const heading = kind === 'VIEW' ? rest.slice(0, rest.indexOf(';')) : headingOf(rest);
    return {
      kind,
      qualified,
      parameters: withoutDefaults(parameters),
      heading: `${qualified}${heading}`,
    };
  });
}

function headingOf(definition: string): string {
  return definition
    .slice(0, definition.search(/^LANGUAGE\b/m))
    .replace(/\s+/g, ' ')
    .replace(/(?<=\() | (?=\))/g, '')
    .trim();
}

function parenthesized(text: string): string {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '(') depth += 1;
    if (text[index] === ')') depth -= 1;
    if (depth === 0 && index > 0) return text.slice(1, index);
  }
  throw new RoutineSourceError(`A parenthesis is not closed in: ${text.slice(0, 80)}`);
}

function withoutDefaults(parameters: string): string {
  return topLevelParts(parameters)
    .map((parameter) => parameter.replace(/\s(?:DEFAULT\s|=)[\s\S]*$/i, '').trim())
    .join(', ')
    .replace(/\s+/g, ' ');
}

/** Split at the commas that stand in no parentheses, brackets or quotes. */
function topLevelParts(list: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const [token] of list.matchAll(/'(?:[^']|'')*'|[\s\S]/g)) {
    if (token === '(' || token === '[') depth += 1;
    if (token === ')' || token === ']') depth -= 1;
    if (token === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop()}${token}`);
  }
  return parts;
}
