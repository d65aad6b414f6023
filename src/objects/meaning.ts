import { shown } from '../errors/shown.js';
import type { ObjectDifference } from './compare.js';
import { attachment, granteeOf, keyParts } from './identity.js';
import { isRenamed } from './renamed.js';

/** What the meaning of a difference depends on: who plays which part, and what tables are for. */
export interface Parts {
  readonly cronRole: string;
  readonly clientRole: string;
  /** By the key of the table: `the queue of fragments`. */
  readonly purposes: ReadonlyMap<string, string>;
  /** Whether an identity is in the clients' schema. */
  readonly isClients: (identity: string) => boolean;
}

export const CONFIGURATION = "the processors' configuration";

/** In a sentence or two: what a difference does to the deployment. */
export function meaningOf(difference: ObjectDifference, parts: Parts): string {
  const { kind } = difference;
  if (kind === 'rows') return rowsMeaning(difference);
  if (isRenamed(difference)) return renamedMeaning(difference);
  if (kind === 'grant') return grantMeaning(difference, parts);
  if (kind === 'owner') return ownerMeaning(difference, parts);
  if (difference.problem === 'unexpected') return unexpectedMeaning(difference);
  if (difference.problem === 'missing') return missingMeaning(difference, parts);
  return changedMeaning(difference, parts);
}

function renamedMeaning({ kind, found, inItsPlace }: ObjectDifference): string {
  const now = shown(found?.identity ?? '');
  if (kind === 'role') {
    return `There is no such role. All that it had, role ${now} has: it was renamed, or that was given to the other.`;
  }
  return inItsPlace === undefined
    ? `It is named ${now} now.`
    : `It is named ${now} now, with its rows. In its place there is a ${inItsPlace.kind} that no release made.`;
}

function rowsMeaning({ identity, problem }: ObjectDifference): string {
  if (problem === 'unexpected') return 'There is more than the one row that our functions read.';
  if (identity.endsWith('.release')) {
    return 'The ledger names releases that are not there, so that down cannot tell how far to go back.';
  }
  return identity.endsWith('.migrations')
    ? 'The ledger beside it names other migrations, so that nothing can be built on them.'
    : 'The row that a migration put there is gone, and our functions fail without it. What was changed in it since is lost; pcache-migrate up sets anew what follows from the settings.';
}

const VERBS: Readonly<Record<string, string>> = {
  SELECT: 'read',
  INSERT: 'add rows to',
  UPDATE: 'change rows of',
  DELETE: 'delete rows of',
  TRUNCATE: 'empty',
  REFERENCES: 'refer to',
  TRIGGER: 'put triggers on',
  MAINTAIN: 'maintain',
  EXECUTE: 'run',
  USAGE: 'use',
  CREATE: 'create objects in',
};

function grantMeaning({ identity, expected, found }: ObjectDifference, parts: Parts): string {
  const key = (expected ?? found)?.parents.at(-1) ?? '';
  const who = granteeOf(identity, key);
  const wanted = lines(expected?.definition);
  const there = lines(found?.definition);
  const lost = wanted.filter((line) => !there.includes(line));
  const gained = there.filter((line) => !wanted.includes(line));
  const what = `${key}${purpose(key, parts)}`;
  return shown(
    [
      gained.length > 0 &&
        `${subject(who)} may ${verbs(gained)} ${what}, which no release granted.`,
      gained.length > 0 && danger(key, gained, parts),
      lost.length > 0 && `${subject(who)} may no longer ${verbs(lost)} ${what}.`,
      lost.length > 0 && loss(who, parts),
    ]
      .filter(Boolean)
      .join(' '),
  );
}

function subject(grantee: string): string {
  if (grantee === 'PUBLIC') return 'Every role';
  return grantee === 'its owner' ? 'The owner' : `Role ${grantee}`;
}

function verbs(privileges: readonly string[]): string {
  const words = privileges.map((line) => {
    const [privilege = ''] = line.split(' ');
    const columns = /\((.*)\)/.exec(line)?.[1];
    const passOn = line.endsWith('WITH GRANT OPTION') ? ' and let others' : '';
    return `${VERBS[privilege] ?? privilege}${columns ? ` (columns ${columns})` : ''}${passOn}`;
  });
  return words.length === 1 && words[0] === 'ALL'
    ? 'do with it what an owner may: '
    : listed(words);
}

/** `read`, `read and change`, `read, change and delete`. */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function danger(
  key: string,
  privileges: readonly string[],
  { purposes }: Parts,
): string | undefined {
  const writes = privileges.some((line) => /^(INSERT|UPDATE)/.test(line));
  if (writes && purposes.get(key) === 'the queue of fragments') {
    return 'What is queued is SQL that the processor runs.';
  }
  if (privileges.some((line) => line.startsWith('TRIGGER'))) {
    return 'A trigger runs as whoever writes to the table.';
  }
  return key.startsWith('schema ') && privileges.some((line) => line.startsWith('CREATE'))
    ? 'Whoever may create there can put a function in the place of one of ours.'
    : undefined;
}

function loss(grantee: string, { cronRole, clientRole }: Parts): string | undefined {
  const isRole = (role: string) => grantee === role || grantee === `"${role}"`;
  const who = [
    isRole(cronRole) && 'the jobs of pg_cron',
    isRole(clientRole) && 'the clients',
  ].filter(Boolean);
  return who.length === 0 ? undefined : `${capital(who.join(' and '))} run as it, and fail there.`;
}

function ownerMeaning(
  { identity, expected, found, problem }: ObjectDifference,
  parts: Parts,
): string {
  if (problem !== 'changed') return 'It has no owner of its own as recorded.';
  const by = shown(`Role ${found?.definition} owns it in the place of ${expected?.definition}`);
  return parts.isClients(keyParts(identity).identity)
    ? `${by}: a client's own tool may have dropped it and made it again.`
    : `${by}, and can replace or drop it.`;
}

function unexpectedMeaning({ kind, identity }: ObjectDifference): string {
  const made = 'No release made it.';
  const where = shown(attachment(identity).relation);
  switch (kind) {
    case 'trigger':
      return `${made} It runs with every write to ${where} that it is for, as whoever writes.`;
    case 'rule':
      return `${made} It turns statements on ${where} into others.`;
    case 'policy':
      return `${made} It says who sees and changes which rows of ${where}.`;
    case 'constraint':
      return `${made} Rows of the processor or of clients that it does not allow fail.`;
    case 'index':
      return `${made} Every write to the table keeps it up.`;
    case 'column':
      return `${made} Neither the processor nor a client fills it.`;
    case 'child table':
      return `${made} Its rows are read as rows of ${where}.`;
    case 'default privileges':
      return `${made} What the role makes there, such as a table of the cache, gets these grants; what a release makes does not.`;
    case 'comment':
      return 'No release wrote this comment.';
    default:
      return made;
  }
}

const GONE: Readonly<Record<string, string>> = {
  table: 'The table is gone, and its rows with it: made anew, it is empty.',
  column: 'The column is gone, and what it held with it.',
  constraint: 'Rows that it refused are allowed now.',
  index: 'What read along it reads the whole table now.',
  trigger: 'What it did at each write is no longer done.',
  extension: 'What it provided is gone.',
  comment: 'Its comment is gone.',
};

function missingMeaning({ kind, identity }: ObjectDifference, parts: Parts): string {
  const gone =
    parts.purposes.get(`${kind} ${identity}`) === CONFIGURATION
      ? `${GONE[kind]} No processor is left; once the table is back: pcache-migrate setup`
      : (GONE[kind] ?? 'Whatever uses it fails.');
  return parts.isClients(identity) && kind !== 'comment'
    ? `${gone} It is in the clients' schema, where a client's own tool may have dropped it.`
    : gone;
}

function changedMeaning(
  { kind, expected, found, identity }: ObjectDifference,
  parts: Parts,
): string {
  if (expected !== undefined && found !== undefined && expected.kind !== found.kind) {
    return `It is a ${found.kind} now, and no ${expected.kind}.`;
  }
  if (kind === 'comment') return 'The comment is another.';
  const replaced = 'It was replaced or altered since the release that made it.';
  return parts.isClients(identity)
    ? `${replaced} It is in the clients' schema, where a client's own tool may have done so.`
    : replaced;
}

function purpose(key: string, { purposes }: Parts): string {
  const text = purposes.get(key);
  return text === undefined ? '' : ` (${text})`;
}

function lines(definition: string | undefined): string[] {
  return definition === undefined ? [] : definition.split('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
