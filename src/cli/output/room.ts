import type { RoomReport } from '../../jobs/room.js';
import type { Style } from './style.js';
import { listed } from './text.js';

/**
 * What does not let all jobs run at once, or may not, and the lines that change that, as doctor says it; nothing where
 * all can.
 */
export function roomText(room: RoomReport | null, style: Style): string {
  if (room === null) return '';
  const said = [
    ...room.shortages.map(({ detail, remedy }) => ({
      text: `Not enough room: ${detail}.`,
      remedy,
    })),
    ...room.unknown.map(({ reason, remedy }) => ({
      text: `Whether all jobs have room is not known: ${reason}.`,
      remedy,
    })),
  ];
  return said
    .map(({ text, remedy }) =>
      style.warning(`${text}\n${listed('Remedy, as an administrator (superuser):', remedy)}`),
    )
    .join('\n');
}
