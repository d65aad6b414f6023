import { shown } from '../errors/shown.js';
import { keyOf, type ListedObject } from './listed-object.js';
import type { RecordedObject } from './record.js';

export interface Release {
  readonly recorded: readonly RecordedObject[];
  /** As the release found it. */
  readonly before: readonly ListedObject[];
  /** As it left it. */
  readonly after: readonly ListedObject[];
  /** Whether all it did is in the transaction that asks; else what changed meanwhile counts as its doing. */
  readonly inOneTransaction: boolean;
  /** Whether what is recorded was read in another way, so that it must be read anew. */
  readonly isOtherFormat: boolean;
  readonly serverVersionNum: number;
  /** Identities of tables that it rolled back, which somebody else may have dropped before. */
  readonly dropped: readonly string[];
  /** The identity of the runner's table, which a rollback that was cut off leaves behind, empty. */
  readonly runnerTable: string;
}

/**
 * The record after a release: only what the release itself made, changed or dropped is recorded anew. What differed
 * from its record before differs from it afterwards: a release must not make somebody's change its own.
 */
export function nextRecord(release: Release): RecordedObject[] {
  const { recorded, after } = release;
  const before = byKey(release.before);
  const left = byKey(after);
  const old = byKey(recorded);
  const kept = recorded.filter((object) => !left.has(keyOf(object)) && !isGone(object));
  const seen = after.flatMap((object) => {
    if (isOurDoing(object)) return [asRecorded(object, release.serverVersionNum)];
    return old.get(keyOf(object)) ?? [];
  });
  return [...kept, ...seen];

  function isGone(object: RecordedObject): boolean {
    return (
      before.has(keyOf(object)) ||
      release.dropped.some((name) =>
        [keyOf(object), ...object.parents].some((key) => key === `table ${name}`),
      )
    );
  }

  function isOurDoing(object: ListedObject): boolean {
    // What was there before the first release is the place that it was deployed into.
    if (recorded.length === 0 && (isPlace(object) || isOfRunner(object))) return true;
    if (release.isOtherFormat && old.has(keyOf(object))) return true;
    const was = before.get(keyOf(object));
    const changed =
      was === undefined ||
      was.definition !== object.definition ||
      was.position !== object.position ||
      object.rewritten;
    return changed && (object.written || !release.inOneTransaction);
  }

  function isOfRunner(object: ListedObject): boolean {
    return [keyOf(object), ...object.parents].includes(`table ${release.runnerTable}`);
  }
}

function isPlace({ kind, parents }: ListedObject): boolean {
  return (
    kind === 'schema' ||
    kind === 'default privileges' ||
    parents.some((key) => key.startsWith('schema '))
  );
}

export function asRecorded(object: ListedObject, serverVersionNum: number): RecordedObject {
  const { kind, identity, parents, definition, verbatim, position } = object;
  return {
    kind,
    identity,
    parents,
    definition,
    verbatim,
    position,
    serverVersionNum,
  };
}

/** Raises an error if two have the same key: one would hide the other. */
export function byKey<T extends Pick<ListedObject, 'kind' | 'identity'>>(
  objects: readonly T[],
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const object of objects) {
    const key = keyOf(object);
    if (map.has(key)) throw new Error(`Listed twice among the objects: ${shown(key)}`);
    map.set(key, object);
  }
  return map;
}
