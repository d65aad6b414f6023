import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Fragment } from '../sample-data.js';
import { fragmentsAtWork } from './at-work.js';
import { withBacklog } from './backlog.js';
import type { Member } from './deploy-fleet.js';
import { firstResults, type Waited } from './first-results.js';
import { slowFragments } from './fragments.js';

export const secondsBefore = 90;
// Five slots work off ten a second: enough for six minutes.
const backlog = slowFragments(3_600, 0.5);

export interface BesideBacklogs {
  readonly waited: readonly Waited[];
  /** Fragments at work in a busy deployment before the others had any, on average. */
  readonly atWork: number;
}

/** How long the others wait for a result when some have been busy for a while. */
export function besideBacklogs(
  observer: Client,
  busy: readonly Member[],
  others: readonly Member[],
  fragment: Fragment,
): Promise<BesideBacklogs> {
  return withBacklog(observer, busy, backlog, async () => {
    const samples: number[] = [];
    const end = performance.now() + secondsBefore * 1000;
    while (performance.now() < end) {
      samples.push(...(await fragmentsAtWork(observer, busy)));
      await sleep(1_000);
    }
    return {
      waited: await firstResults(others, fragment),
      atWork: samples.reduce((sum, count) => sum + count, 0) / samples.length,
    };
  });
}
