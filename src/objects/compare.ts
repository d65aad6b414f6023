import { keyOf, type ListedObject } from './listed-object.js';
import { byKey } from './next-record.js';
import type { RecordedObject } from './record.js';

export type ObjectProblem = 'missing' | 'changed' | 'unexpected';

/** One change, named once: what is in a table that is gone is not named beside it. */
export interface ObjectDifference {
  readonly kind: string;
  readonly identity: string;
  readonly problem: ObjectProblem;
  readonly expected: RecordedObject | undefined;
  readonly found: ListedObject | undefined;
  /** Of rows: what writes them anew. */
  readonly statements?: readonly string[] | undefined;
  /** Of what was renamed: what has its name now. */
  readonly inItsPlace?: ListedObject | undefined;
}

export interface Comparison {
  readonly differences: readonly ObjectDifference[];
  /** Printed otherwise, by another major version of PostgreSQL, and alike in what all versions print alike. */
  readonly notCompared: readonly {
    readonly expected: RecordedObject;
    readonly found: ListedObject;
  }[];
}

export interface Compared {
  readonly expected: readonly RecordedObject[];
  readonly found: readonly ListedObject[];
  /** What other deployments of our owner, in the same clients' schema, recorded. */
  readonly ofOthers: readonly RecordedObject[];
  readonly serverVersionNum: number;
}

export function compareObjects(compared: Compared): Comparison {
  const { serverVersionNum } = compared;
  const found = byKey(compared.found);
  const expected = byKey(compared.expected);
  const others = definitionsOf(compared.ofOthers);
  const isOfAnother = (object: ListedObject) =>
    others.get(keyOf(object))?.has(object.definition) === true;

  const differences: ObjectDifference[] = [];
  const notCompared: { expected: RecordedObject; found: ListedObject }[] = [];
  for (const object of compared.expected) {
    const there = found.get(keyOf(object));
    if (there === undefined) {
      differences.push(difference('missing', object, undefined));
    } else if (there.definition !== object.definition && !isOfAnother(there)) {
      const isPrintedAlike = sameMajor(object.serverVersionNum, serverVersionNum);
      const isSame =
        !isPrintedAlike && object.verbatim !== null && object.verbatim === there.verbatim;
      if (isSame) notCompared.push({ expected: object, found: there });
      else differences.push(difference('changed', object, there));
    }
  }
  for (const object of compared.found) {
    if (!expected.has(keyOf(object)) && !isOfAnother(object)) {
      differences.push(difference('unexpected', undefined, object));
    }
  }
  return { differences: namedOnce(replacedBy(differences)), notCompared };
}

function sameMajor(one: number, other: number): boolean {
  return Math.floor(one / 10_000) === Math.floor(other / 10_000);
}

function definitionsOf(objects: readonly RecordedObject[]): ReadonlyMap<string, Set<string>> {
  const definitions = new Map<string, Set<string>>();
  for (const object of objects) {
    const known = definitions.get(keyOf(object)) ?? new Set();
    definitions.set(keyOf(object), known.add(object.definition));
  }
  return definitions;
}

function difference(
  problem: ObjectProblem,
  expected: RecordedObject | undefined,
  found: ListedObject | undefined,
): ObjectDifference {
  const { kind, identity } = (expected ?? found) as RecordedObject;
  return { kind, identity, problem, expected, found };
}

/** What keeps its place in the catalogue under another name, and its rows with it. */
const RENAMEABLE: ReadonlySet<string> = new Set(['table', 'view', 'sequence', 'column', 'type']);

/** A table that is a view now, or has another name: one change, not two. */
function replacedBy(differences: readonly ObjectDifference[]): ObjectDifference[] {
  const isWhole = ({ expected, found }: ObjectDifference) =>
    (expected ?? found)?.parents.length === 0;
  const unexpected = new Map(
    differences
      .filter((one) => one.problem === 'unexpected' && isWhole(one))
      .map((one) => [one.identity, one]),
  );
  const byPlace = new Map(
    differences
      .filter((one) => one.problem === 'unexpected' && RENAMEABLE.has(one.kind))
      .map((one) => [`${one.kind} ${one.found?.position}`, one]),
  );
  const replacing = new Set<ObjectDifference>();
  const merged = differences.map((one) => {
    const other =
      one.problem === 'missing' &&
      ((isWhole(one) && unexpected.get(one.identity)) ||
        byPlace.get(`${one.kind} ${one.expected?.position}`));
    if (!other) return one;
    replacing.add(other);
    return { ...one, problem: 'changed' as const, found: other.found };
  });
  return merged.filter((one) => !replacing.has(one));
}

function namedOnce(differences: readonly ObjectDifference[]): ObjectDifference[] {
  const gone = new Set<string>();
  const added = new Set<string>();
  for (const one of differences) {
    const { problem, expected, found } = one;
    if (expected && (problem === 'missing' || isReplaced(one))) gone.add(keyOf(expected));
    if (found && (problem === 'unexpected' || isReplaced(one))) added.add(keyOf(found));
  }
  return differences.filter((one) => {
    const { problem, expected, found } = one;
    if (problem === 'unexpected') return !found?.parents.some((key) => added.has(key));
    return problem === 'changed' && !isReplaced(one)
      ? true
      : !expected?.parents.some((key) => gone.has(key));
  });
}

/** By another kind of object, or another name. */
function isReplaced({ expected, found }: ObjectDifference): boolean {
  return expected !== undefined && found !== undefined && keyOf(expected) !== keyOf(found);
}
