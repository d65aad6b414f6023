import { pasteable } from '../errors/shown.js';
import type { ObjectDifference } from './compare.js';
import { attachment, columnOf } from './identity.js';
import { isOfAnotherMake, isRenamed, puttingAway, renaming } from './renamed.js';
import { isWithheldGrant, WITHHELD } from './withheld-grant.js';

/** For what --fix leaves: the line that mends it, or what to do; `reason`: why --fix leaves it. */
export function remedyOf(difference: ObjectDifference): string {
  const { problem, kind, identity } = difference;
  if (kind === 'rows') {
    return problem === 'missing'
      ? 'Restore them from a backup.'
      : line(`DELETE FROM ${identity.replace(/^of table /, '')} WHERE NOT only_row;`);
  }
  if (kind === 'role') {
    return `If it was renamed, an administrator gives it back its name: ${line(`${renaming(difference).join('; ')};`)}`;
  }
  if (isRenamed(difference)) return line(...renaming(difference).map((one) => `${one};`));
  if (isWithheldGrant(difference)) return WITHHELD;
  if (problem === 'unexpected') return removal(difference);
  if (problem === 'missing') return creation(difference);
  return alteration(difference);
}

function removal({ kind, identity, found }: ObjectDifference): string {
  switch (kind) {
    case 'column': {
      const { relation, name } = columnOf(identity);
      return ifNobodyNeeds(`ALTER TABLE ${relation} DROP COLUMN ${name};`);
    }
    case 'constraint': {
      const { name, relation } = attachment(identity);
      return ifNobodyNeeds(`ALTER TABLE ${relation} DROP CONSTRAINT ${name};`);
    }
    case 'child table': {
      const { name, relation } = attachment(identity);
      return ifNobodyNeeds(`ALTER TABLE ${name} NO INHERIT ${relation};`);
    }
    case 'default privileges':
      return ifNobodyNeeds(
        ...(found?.definition ?? '')
          .split('\n')
          .map((line) => `ALTER DEFAULT PRIVILEGES ${defaultPrivilege(identity, line)};`),
      );
    case 'owner':
      return 'It follows from what differs in the object itself.';
    default:
      return ifNobodyNeeds(`DROP ${kind.toUpperCase()} ${identity};`);
  }
}

/** `FOR ROLE x IN SCHEMA y ON TABLES` and `SELECT TO z`: the words of the REVOKE. */
function defaultPrivilege(identity: string, line: string): string {
  const [scope, objects] = split(identity, ' ON ');
  const [privilege, grantee] = split(line.replace(/ WITH GRANT OPTION$/, ''), ' TO ');
  return `${scope} REVOKE ${privilege} ON ${objects} FROM ${grantee}`;
}

function split(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function creation({ kind, expected }: ObjectDifference): string {
  return kind === 'schema'
    ? line(`${expected?.definition};`)
    : `Restore the ${kind} from a backup, as its owner.`;
}

function alteration(difference: ObjectDifference): string {
  const { kind, identity, expected, found } = difference;
  if (kind === 'sequence') return sequenceAlteration(difference);
  if (kind === 'index') return line(`DROP INDEX ${identity};`, `${expected?.definition};`);
  if (kind === 'constraint') {
    const { name, relation } = attachment(identity);
    return line(
      `ALTER TABLE ${relation} DROP CONSTRAINT ${name};`,
      `ALTER TABLE ${relation} ADD CONSTRAINT ${name} ${expected?.definition};`,
    );
  }
  if (kind === 'table' && isOfAnotherMake(difference)) return replacement(difference);
  if (kind === 'table') return tableAlteration(identity, expected, found);
  if (kind === 'column') {
    const { relation, name } = columnOf(identity);
    const type = (expected?.definition ?? '').replace(
      / (NOT NULL|DEFAULT|GENERATED) .*| NOT NULL$/s,
      '',
    );
    return line(
      `ALTER TABLE ${relation} ALTER COLUMN ${name} TYPE ${type} USING ${name}::${type};`,
    );
  }
  return expected?.kind !== found?.kind
    ? `Put the ${found?.kind} away, and then: pcache-migrate verify --fix`
    : BY_HAND;
}

const OWNED = /\nOWNED BY (?<column>.+)$/;

function sequenceAlteration({ identity, expected, found }: ObjectDifference): string {
  const column = OWNED.exec(expected?.definition ?? '')?.groups?.column;
  const isFree = expected?.definition.replace(OWNED, '') === found?.definition;
  return isFree && column !== undefined
    ? line(`ALTER SEQUENCE ${identity} OWNED BY ${column};`)
    : BY_HAND;
}

const BY_HAND = 'Alter it until it is as expected; nothing here says whether its rows allow that.';

/**
 * For a table in whose place there is something else: a view, or what is partitioned. It may hold rows, but to read it
 * runs what hangs on it as whoever does, so that no line here does.
 */
function replacement({ identity, expected, found }: ObjectDifference): string {
  const { kind = 'table' } = found ?? {};
  return `Put the ${kind} away: ${line(`${puttingAway({ kind, identity })};`)} Then have the ${expected?.kind} made again by pcache-migrate verify --fix. If the ${kind} holds rows that are needed, its owner copies them: whoever else reads it runs what hangs on it, with his own rights.`;
}

/** What undoes each line that the table has too much. */
const UNDOING: Readonly<Record<string, string>> = {
  unlogged: 'SET LOGGED',
  'ROW LEVEL SECURITY ENABLED': 'DISABLE ROW LEVEL SECURITY',
  'ROW LEVEL SECURITY FORCED': 'NO FORCE ROW LEVEL SECURITY',
};

function tableAlteration(
  identity: string,
  expected: ObjectDifference['expected'],
  found: ObjectDifference['found'],
): string {
  const wanted = expected?.definition.split('\n') ?? [];
  const excess = found?.definition.split('\n').filter((one) => !wanted.includes(one)) ?? [];
  const undone = excess.map((one) => UNDOING[one]);
  return undone.every((one) => one !== undefined)
    ? line(...undone.map((one) => `ALTER TABLE ${identity} ${one};`))
    : BY_HAND;
}

function ifNobodyNeeds(...lines: string[]): string {
  return `If nobody needs it: ${line(...lines)}`;
}

function line(...lines: string[]): string {
  return lines.map(pasteable).join(' ');
}
