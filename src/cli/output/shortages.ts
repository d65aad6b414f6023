import type { Shortage } from '../../jobs/room.js';
import type { Style } from './style.js';
import { listed } from './text.js';

/** What does not let all jobs run at once, and the lines that change it, as doctor says it; nothing where all can. */
export function shortagesText(shortages: readonly Shortage[], style: Style): string {
  return shortages
    .map(({ detail, remedy }) =>
      style.warning(
        [
          `Not enough room: ${detail}.`,
          listed('Remedy, as an administrator (superuser):', remedy),
        ].join('\n'),
      ),
    )
    .join('\n');
}
