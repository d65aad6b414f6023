import type { ObjectDifference } from './compare.js';
import { columnOf } from './identity.js';

/** The statements that give a column back its default and NOT NULL; undefined where its type is another. */
export function columnAlteration({
  identity,
  expected,
  found,
}: ObjectDifference): readonly string[] | undefined {
  const wanted = taken(expected?.definition ?? '');
  const there = taken(found?.definition ?? '');
  if (wanted.type !== there.type || isGenerated(wanted) || isGenerated(there)) return undefined;
  const { relation, name } = columnOf(identity);
  const alter = (action: string) => `ALTER TABLE ${relation} ALTER COLUMN ${name} ${action}`;
  return [
    ...(wanted.value === there.value
      ? []
      : [alter(wanted.value === undefined ? 'DROP DEFAULT' : `SET DEFAULT ${wanted.value}`)]),
    ...(wanted.isNotNull === there.isNotNull
      ? []
      : [alter(wanted.isNotNull ? 'SET NOT NULL' : 'DROP NOT NULL')]),
  ];
}

interface Column {
  readonly type: string;
  readonly isNotNull: boolean;
  /** Its default. */
  readonly value: string | undefined;
}

const NOT_NULL = / NOT NULL$/;

/** `text NOT NULL DEFAULT ''`, taken apart. */
function taken(definition: string): Column {
  const [head = '', ...value] = definition.split(' DEFAULT ');
  return {
    type: head.replace(NOT_NULL, ''),
    isNotNull: NOT_NULL.test(head),
    value: value.length === 0 ? undefined : value.join(' DEFAULT '),
  };
}

function isGenerated({ type }: Column): boolean {
  return type.includes(' GENERATED ');
}
