import { pinnedState } from './pinned-state.js';
import { droppedMark, pinOf } from './pins.js';
import {
  dropStatements,
  inOrderOfUse,
  isReplaceable,
  isViewOf,
  type Routine,
  revokeStatements,
} from './routine.js';
import type { MigrationPair, StreamSource } from './stream-source.js';

/** A routine whose source and newest pinned text differ; one of the two is missing when it is new or gone. */
export interface RoutineChange {
  readonly name: string;
  readonly before: Routine | undefined;
  readonly after: Routine | undefined;
}

export const UNEXPLAINED = '-- TODO: say in a sentence or two why this changes.';

export function changedRoutines({ routines, migrations }: StreamSource): RoutineChange[] {
  const pinned = pinnedState(migrations);
  const sources = new Map(routines.map((routine) => [routine.name, routine]));
  return [...new Set([...pinned.keys(), ...sources.keys()])]
    .sort()
    .map((name) => ({ name, before: pinned.get(name), after: sources.get(name) }))
    .filter(({ before, after }) => before?.text !== after?.text);
}

/**
 * The next migration of a stream: `up` has the new text of every routine that changed, `down` the text that the
 * newest earlier migration had. What cannot be replaced is dropped first, with the views that read it, which come
 * back. Without a change both hold an explanation to fill in, and nothing else.
 */
export function nextPair(source: StreamSource, title: string): MigrationPair {
  const changes = changedRoutines(source);
  const gone = droppedNames(source.routines, changes);
  const unchanged = source.routines
    .filter(({ name }) => gone.has(name) && !changes.some((change) => change.name === name))
    .map((view): RoutineChange => ({ name: view.name, before: view, after: view }));
  const steps = [...changes, ...unchanged];
  const back = steps.map(({ name, before, after }) => ({ name, before: after, after: before }));
  return {
    name: `${nextNumber(source.migrations)}_${title}`,
    up: script(steps, gone, true),
    down: script(back, gone, false),
  };
}

/** The routines that up or down has to drop, with the views that read them, and so on. */
function droppedNames(
  routines: readonly Routine[],
  changes: readonly RoutineChange[],
): ReadonlySet<string> {
  const names = new Set(
    changes
      .filter(({ before, after }) => !before || !after || !isReplaceable(before, after))
      .map(({ name }) => name),
  );
  for (;;) {
    const views = routines.filter(
      (routine) => !names.has(routine.name) && isViewOf(routine, names),
    );
    if (views.length === 0) return names;
    for (const { name } of views) names.add(name);
  }
}

function nextNumber(migrations: readonly MigrationPair[]): string {
  const last = migrations.at(-1)?.name.slice(0, 4) ?? '0';
  return String(Number(last) + 1).padStart(4, '0');
}

function script(
  steps: readonly RoutineChange[],
  gone: ReadonlySet<string>,
  forward: boolean,
): string {
  const makeWay = inOrderOfUse(steps.flatMap(({ before }) => before ?? []))
    .reverse()
    .flatMap((before) => {
      const after = steps.find(({ name }) => name === before.name)?.after;
      const mark = forward && after === undefined ? [droppedMark(before.name).trimEnd()] : [];
      return [
        ...mark,
        ...(gone.has(before.name) ? dropStatements(before) : revoked(before, after)),
      ];
    });
  const pins = inOrderOfUse(steps.flatMap(({ after }) => after ?? [])).map(pinOf);
  return [UNEXPLAINED, ...(makeWay.length > 0 ? [makeWay.join('\n')] : []), ...pins]
    .map((part) => `${part.trimEnd()}\n`)
    .join('\n');
}

function revoked(before: Routine, after: Routine | undefined): string[] {
  return after === undefined ? [] : revokeStatements(before, after);
}
