/** Random numbers from a seed that repeats them: PCACHE_TEST_SEED, or one that differs from run to run. */
export interface Random {
  /** For the failure message: PCACHE_TEST_SEED=<seed> repeats the run. */
  readonly seed: number;
  /** A whole number from `low` to `high`, inclusive. */
  integer(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}

export function seededRandom(seed = seedOfThisRun()): Random {
  let state = seed >>> 0;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    seed,
    integer,
    chance: (probability) => next() < probability,
    pick: <T>(from: readonly T[]) => from[integer(0, from.length - 1)] as T,
  };
}

function seedOfThisRun(): number {
  const given = process.env.PCACHE_TEST_SEED;
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 32);
  if (!/^\d+$/.test(given)) throw new Error(`PCACHE_TEST_SEED is '${given}', not a whole number`);
  return Number(given);
}
