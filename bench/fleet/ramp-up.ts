import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { slotsByDefault } from '../scheduled.js';
import { number, shown, spreadOf } from '../stats.js';
import { fragmentsAtWork } from './at-work.js';
import { withBacklog } from './backlog.js';
import type { Member } from './deploy-fleet.js';
import { slowFragments } from './fragments.js';

const lookEveryMs = 100;
const deadlineSeconds = 120;
// Five slots work off five a second.
const backlog = slowFragments(2 * slotsByDefault * deadlineSeconds, 1);

export interface RampUp {
  /** Until all slots worked at once; undefined: never within the deadline. */
  readonly seconds: number | undefined;
  /** Fragments that were at work at once. */
  readonly most: number;
}

/** How long a deployment that gets a backlog needs until all its slots work. */
export function rampUp(observer: Client, member: Member): Promise<RampUp> {
  return withBacklog(observer, [member], backlog, async () => {
    const start = performance.now();
    let most = 0;
    for (;;) {
      const [atWork = 0] = await fragmentsAtWork(observer, [member]);
      const seconds = (performance.now() - start) / 1000;
      most = Math.max(most, atWork);
      if (most >= slotsByDefault) return { seconds, most };
      if (seconds > deadlineSeconds) return { seconds: undefined, most };
      await sleep(lookEveryMs);
    }
  });
}

export function rampUpText(all: readonly RampUp[]): string {
  const reached = all.flatMap(({ seconds }) => seconds ?? []);
  const failed = all.filter(({ seconds }) => seconds === undefined);
  const texts = [
    ...(reached.length === 0 ? [] : [shown(spreadOf(reached))]),
    ...(failed.length === 0
      ? []
      : [
          `${failed.length} of ${all.length} times not within ${deadlineSeconds} s: at most ${failed.map(({ most }) => number(most)).join(', ')} slots at once`,
        ]),
  ];
  return texts.join('; ');
}
