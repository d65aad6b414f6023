import { pinnedState } from './pinned-state.js';
import { replacePins } from './pins.js';
import type { MigrationPair, StreamSource } from './stream-source.js';

/**
 * The migrations that are not released yet, with the text of today: in `up` of the routines that no later
 * migration pins, in `down` of what the newest earlier migration had. Returns the pairs that changed.
 */
export function refreshPins(
  { routines, migrations }: StreamSource,
  isReleased: (migration: MigrationPair) => boolean,
): MigrationPair[] {
  const sources = new Map(routines.map(({ name, text }) => [name, text]));
  const newest = pinnedState(migrations);
  const refreshed: MigrationPair[] = [];
  for (const migration of migrations) {
    const before = pinnedState(refreshed);
    refreshed.push(
      isReleased(migration)
        ? migration
        : {
            ...migration,
            up: replacePins(migration.up, (name) =>
              newest.get(name)?.migration === migration.name ? sources.get(name) : undefined,
            ),
            down: replacePins(migration.down, (name) => before.get(name)?.text),
          },
    );
  }
  return refreshed.filter(({ up, down }, index) => {
    const old = migrations[index];
    return up !== old?.up || down !== old.down;
  });
}
