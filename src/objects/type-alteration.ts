import type { ObjectDifference } from './compare.js';

/**
 * The statements that give a composite type back attributes that it lost, in their order; undefined for other types, and
 * where it has attributes that others made. Dropped and made again, the type would take every function with it that has it as a parameter. PostgreSQL refuses where a table
 * has a column of the type: no rows are lost.
 */
export function typeAlteration({
  identity,
  expected,
  found,
}: ObjectDifference): readonly string[] | undefined {
  const wanted = attributesOf(expected?.definition ?? '');
  const there = attributesOf(found?.definition ?? '');
  if (wanted === undefined || there === undefined) return undefined;
  if (there.some((attribute) => !wanted.includes(attribute))) return undefined;
  const firstOther = wanted.findIndex((attribute, index) => attribute !== there[index]);
  const from = firstOther < 0 ? wanted.length : firstOther;
  return [
    ...there.slice(from).map((one) => `ALTER TYPE ${identity} DROP ATTRIBUTE ${nameIn(one)}`),
    ...wanted.slice(from).map((one) => `ALTER TYPE ${identity} ADD ATTRIBUTE ${one}`),
  ];
}

const COMPOSITE = /^AS \((?<attributes>.*)\)$/s;

/** Commas within quotes or parentheses, as in numeric(10,2), separate nothing. */
const ATTRIBUTE = /(?:"(?:[^"]|"")*"|\([^)]*\)|[^,"(])+/g;

function attributesOf(definition: string): readonly string[] | undefined {
  const attributes = COMPOSITE.exec(definition)?.groups?.attributes;
  return attributes?.match(ATTRIBUTE)?.map((one) => one.trim());
}

function nameIn(attribute: string): string {
  return /^(?:"(?:[^"]|"")*"|\S+)/.exec(attribute)?.[0] ?? attribute;
}
