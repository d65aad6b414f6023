import { setTimeout as sleep } from 'node:timers/promises';
import { enqueue, type Fragment } from '../sample-data.js';
import { number, spreadOf } from '../stats.js';
import type { Member } from './deploy-fleet.js';
import { assertNothingFailed, assertRightSet } from './outcomes.js';

const lookEveryMs = 100;
const deadlineSeconds = 180;

/** Seconds from the client's COMMIT to the result; undefined: none within three minutes. */
export type Waited = number | undefined;

/** Gives each of these deployments the fragment at the same moment. */
export function firstResults(members: readonly Member[], fragment: Fragment): Promise<Waited[]> {
  return Promise.all(members.map((member) => firstResult(member, fragment)));
}

async function firstResult(member: Member, fragment: Fragment): Promise<Waited> {
  await enqueue(member.client, member.site, [fragment]);
  const start = performance.now();
  for (;;) {
    const known = await isKnown(member, fragment);
    const seconds = (performance.now() - start) / 1000;
    if (known) {
      await assertNothingFailed(member);
      await assertRightSet(member, fragment);
      return seconds;
    }
    if (seconds > deadlineSeconds) return undefined;
    await sleep(lookEveryMs);
  }
}

async function isKnown({ site }: Member, { hash }: Fragment): Promise<boolean> {
  const { rowCount } = await site.admin.query({
    name: 'is known',
    text: `SELECT FROM ${site.tables.queries} WHERE query_hash = $1`,
    values: [hash],
  });
  return rowCount === 1;
}

/** `0.9, at most 2.1`: the median and the most. */
export function waitedText(all: readonly Waited[]): string {
  const { median, most } = spreadOf(all.map((seconds) => seconds ?? Number.POSITIVE_INFINITY));
  const text = (seconds: number) =>
    Number.isFinite(seconds) ? number(seconds) : `> ${deadlineSeconds}`;
  const late = all.filter((seconds) => seconds === undefined).length;
  return `${text(median)}, at most ${text(most)}${late === 0 ? '' : ` (${late} of ${all.length} not within ${deadlineSeconds} s)`}`;
}
