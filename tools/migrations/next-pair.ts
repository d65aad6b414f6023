import { pinnedState } from './pinned-state.js';
import { droppedMark, pinOf } from './pins.js';
import { dropStatements, inOrderOfUse, isReplaceable, type Routine } from './routine.js';
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
 * newest earlier migration had. Without a change both hold an explanation to fill in, and nothing else.
 */
export function nextPair(source: StreamSource, title: string): MigrationPair {
  const changes = changedRoutines(source);
  const reversed = changes.map(({ name, before, after }) => ({
    name,
    before: after,
    after: before,
  }));
  return {
    name: `${nextNumber(source.migrations)}_${title}`,
    up: script(changes, true),
    down: script(reversed, false),
  };
}

function nextNumber(migrations: readonly MigrationPair[]): string {
  const last = migrations.at(-1)?.name.slice(0, 4) ?? '0';
  return String(Number(last) + 1).padStart(4, '0');
}

function script(changes: readonly RoutineChange[], forward: boolean): string {
  const drops = inOrderOfUse(changes.flatMap(({ before }) => before ?? []))
    .reverse()
    .flatMap((before) => dropsFor(changes, before, forward));
  const pins = inOrderOfUse(changes.flatMap(({ after }) => after ?? [])).map(pinOf);
  return [UNEXPLAINED, ...(drops.length > 0 ? [drops.join('\n')] : []), ...pins]
    .map((part) => `${part.trimEnd()}\n`)
    .join('\n');
}

function dropsFor(changes: readonly RoutineChange[], before: Routine, forward: boolean): string[] {
  const after = changes.find(({ name }) => name === before.name)?.after;
  if (after !== undefined) return isReplaceable(before, after) ? [] : dropStatements(before);
  const mark = forward ? [droppedMark(before.name).trimEnd()] : [];
  return [...mark, ...dropStatements(before)];
}
