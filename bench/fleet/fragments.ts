import { type Fragment, fragmentsOf } from '../sample-data.js';

/** The advisory lock that a slow fragment holds while it runs: so it is seen from outside, whoever runs it. */
export const atWorkLock = 20_111;

/** One row by primary key. */
export const trivialFragments = fragmentsOf(
  (i) => `SELECT zipcode FROM tiny WHERE id = ${1 + (i % 100)} AND ${i} >= 0`,
);

/** Likewise, after that many seconds. */
export function slowFragments(count: number, seconds: number): Fragment[] {
  return fragmentsOf(
    (i) =>
      `SELECT zipcode FROM tiny, pg_sleep(CASE WHEN pg_try_advisory_xact_lock_shared(${atWorkLock}) THEN ${seconds} END) WHERE id = ${1 + (i % 100)} AND ${i} >= 0`,
  )(count);
}
