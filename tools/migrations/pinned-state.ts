import { droppedIn, pinsOf } from './pins.js';
import type { Routine } from './routine.js';
import type { MigrationPair } from './stream-source.js';

export interface PinnedRoutine extends Routine {
  /** The newest migration that pins it. */
  readonly migration: string;
}

/** The routines as these migrations, run one after the other, leave them. */
export function pinnedState(migrations: readonly MigrationPair[]): Map<string, PinnedRoutine> {
  const state = new Map<string, PinnedRoutine>();
  for (const { name: migration, up } of migrations) {
    for (const name of droppedIn(up)) state.delete(name);
    for (const [name, text] of pinsOf(up)) state.set(name, { name, text, migration });
  }
  return state;
}
