import { escapeIdentifier } from 'pg';
import type { ObjectDifference } from './compare.js';
import { columnOf, qualifiedName } from './identity.js';
import { keyOf, type ListedObject } from './listed-object.js';

/** Whether it is there under another name. */
export function isRenamed({ expected, found }: ObjectDifference): boolean {
  return (
    expected !== undefined &&
    found !== undefined &&
    expected.kind === found.kind &&
    keyOf(expected) !== keyOf(found)
  );
}

/** Of a table: whether something of another making is in its place. */
export function isOfAnotherMake({ expected, found }: ObjectDifference): boolean {
  if (expected === undefined || found === undefined) return false;
  const isParted = found.definition.includes('\nPARTITION BY ');
  return (
    expected.kind !== found.kind || (isParted && !expected.definition.includes('PARTITION BY'))
  );
}

/** The statements that give it back its name, and another to what has that now. */
export function renaming({ kind, identity, found, inItsPlace }: ObjectDifference): string[] {
  const there = found?.identity ?? '';
  if (inItsPlace !== undefined) {
    return [puttingAway(inItsPlace), ...renaming({ kind, identity, found } as ObjectDifference)];
  }
  if (kind === 'column') {
    const { relation, name } = columnOf(identity);
    return [`ALTER TABLE ${relation} RENAME COLUMN ${columnOf(there).name} TO ${name}`];
  }
  return [`ALTER ${kind.toUpperCase()} ${there} RENAME TO ${columnOf(identity).name}`];
}

/** The statement that gives another name to what is in the place of ours, with whatever it holds. */
export function puttingAway({ kind, identity }: Pick<ListedObject, 'kind' | 'identity'>): string {
  return `ALTER ${kind.toUpperCase()} ${identity} RENAME TO ${nameAside(identity)}`;
}

export function nameAside(identity: string): string {
  // The server cuts off what is too long: at the end, so that it is another name in any case.
  return escapeIdentifier(`replaced_${qualifiedName(identity)?.name ?? identity}`);
}
