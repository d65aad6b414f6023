/**
 * What a terminal obeys instead of showing it (C0, DEL, C1), what ends a line, what turns the text around
 * it about (bidirectional controls), and halves of surrogate pairs, which no encoding has.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

/**
 * A name or message from elsewhere (a database, the command line, the environment), for a text that people
 * read: in one line, with everything that could pass for something else escaped as in JSON.
 */
export function shown(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** Likewise in quotation marks, which it cannot leave: what follows them is ours. */
export function inQuotes(text: string): string {
  return `"${shown(text).replaceAll('"', '\\"')}"`;
}

/** A text of ours with its line breaks; the last defence, since a break in a name passes for ours. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : escaped(character),
  );
}

export function isPrintable(text: string): boolean {
  return shown(text) === text;
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escaped(character: string): string {
  return SHORT.get(character) ?? `\\u${hex(character)}`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}

const QUOTED = /(?<literal>(?:(?<!\w)E)?'(?:[^']|'')*')|"(?:[^"]|"")*"/gu;

/**
 * A statement in one line, to be pasted: what is unprintable in a quoted name or literal is written as
 * PostgreSQL's escape for it, so that the line still means the same.
 */
export function pasteable(sql: string): string {
  return shown(
    sql.replace(QUOTED, (token, literal: string | undefined) => {
      if (isPrintable(token)) return token;
      return literal === undefined ? unicodeName(token) : escapeString(token);
    }),
  );
}

function unicodeName(name: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replace(UNPRINTABLE, (found) => `\\${hex(found)}`);
  return `U&${escaped}`;
}

function escapeString(literal: string): string {
  const text = literal.startsWith('E') ? literal : `E${literal.replaceAll('\\', '\\\\')}`;
  return text.replace(UNPRINTABLE, (found) => `\\u${hex(found)}`);
}
