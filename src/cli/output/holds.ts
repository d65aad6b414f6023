import { shown } from '../../errors/shown.js';
import type { Hold } from '../../processor/holds.js';
import type { Settings } from '../../settings/settings.js';
import type { Context } from '../command.js';
import type { World } from '../world.js';
import type { Style } from './style.js';
import { relativeTime } from './time.js';

/** A line for each hold: who, since when and why. */
export function holdsText(holds: readonly Hold[], now: Date): string {
  return holds
    .map(
      ({ holder, reason, heldBy, host, since }) =>
        `${verb(holder)} ${relativeTime(since, now)} by role "${shown(heldBy)}"${host === undefined ? '' : ` on ${shown(host)}`}: ${shown(reason)}`,
    )
    .join('\n');
}

/** Says that nothing more is begun, and why; nothing where nothing holds it. */
export function heldText(
  holds: readonly Hold[],
  { world }: { readonly world: World },
  style: Style,
): string {
  return holds.length === 0
    ? ''
    : style.warning(`Nothing more is begun:\n${holdsText(holds, world.now())}`);
}

/** Says that a command that is done leaves processing held, and what ends that; nothing where nothing holds it. */
export function stillHeldText(
  holds: readonly Hold[],
  { mode }: Pick<Settings, 'mode'>,
  { world, invocation }: Pick<Context, 'world' | 'invocation'>,
  style: Style,
): string {
  if (holds.length === 0) return '';
  const ends = (holder: string) => {
    if (holder === 'pause') return `To go on: ${invocation('resume')}`;
    const command = holder === 'mode' ? `mode ${mode}` : holder;
    return `What ${shown(holder)} holds ends with it: ${invocation(shown(command))}`;
  };
  return style.warning(
    [
      'Processing is still held, as it was before:',
      holdsText(holds, world.now()),
      ...holds.map(({ holder }) => ends(holder)),
    ].join('\n'),
  );
}

function verb(holder: string): string {
  return holder === 'pause' ? 'Paused' : `Held by ${shown(holder)}`;
}
