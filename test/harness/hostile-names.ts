import { NAME_MAX_BYTES } from '../../src/settings/names.js';
import type { Random } from './random.js';

// What ends or begins something in SQL, format(), psql, a connection string, a URI, a shell, or in our own
// placeholders; and letters that are more than one byte, or more than one character.
const SUPPORTED = [
  ...String.raw`' " \ '' "" \\ \' ; -- /* */ $$ $_$ $body$ $1 $ % %I %s %1$s`.split(' '),
  ...'{{schema}} {{cron_role:literal}} {{ }} { } ( ) [ ] < > + - * / ^ ! ? # & | ~ @ = =: : . , _'.split(
    ' ',
  ),
  ...'0 a A Zz x1 select table ß é 日本 😀 ﬁ İ'.split(' '),
  ...['`', ' ', '  ', '\u00a0', 'e\u0301', '👩\u200d👧', '\ufeff'],
];

// Words that mean something else to PostgreSQL or libpq unless they are treated as what they are: names.
const WHOLE = [
  ...'current_user session_user user all replication sameuser null template2'.split(' '),
  ...['postgresql://user@host/database', 'dbname=postgres host=nowhere', ' ', '.', '%', "''", '""'],
];

const CONTROL = ['\t', '\n', '\r', '\u0001', '\u001b[31m', '\u007f', '\u0085', '\u202e'];

/** A name of up to 63 bytes that PostgreSQL accepts for anything but what it reserves. */
export function hostileName(random: Random): string {
  if (random.chance(0.1)) return random.pick(WHOLE);
  let name = '';
  const pieces = random.integer(1, 12);
  for (let count = 0; count < pieces; count += 1) {
    const piece = random.pick(SUPPORTED);
    if (Buffer.byteLength(name + piece) <= NAME_MAX_BYTES) name += piece;
  }
  return random.chance(0.3) ? name.padEnd(name.length + NAME_MAX_BYTES - bytes(name), 'x') : name;
}

/** Names that no two of a cluster have in common. */
export function distinctNames(random: Random): () => string {
  const taken = new Set<string>();
  const draw = (): string => {
    const name = hostileName(random);
    if (taken.has(name)) return draw();
    taken.add(name);
    return name;
  };
  return draw;
}

/**
 * A password without what SASLprep maps: pg maps it even where another character keeps the server from doing so.
 */
export function hostilePassword(random: Random): string {
  const password = hostileName(random).replace(/\u00a0|\u200d|\ufeff|\u0301|ﬁ/gu, '');
  return password === '' ? hostilePassword(random) : password;
}

/** A name that cannot be supported, and a word of the reason to give. */
export function impossibleName(random: Random): { name: string; reason: RegExp } {
  const name = hostileName(random);
  if (random.chance(0.5)) {
    const characters = [...name];
    characters.splice(random.integer(0, characters.length), 0, random.pick(CONTROL));
    return {
      name: characters.join(''),
      reason: /control character/,
    };
  }
  const tooLong = name + random.pick(['x', '😀', '"']).repeat(NAME_MAX_BYTES + 1 - bytes(name));
  return { name: tooLong, reason: /bytes, more than the 63 allowed/ };
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
