import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTORS, type Actor, type Attempt } from './attempts/attempt.js';
import { limits } from './attempts/limits.js';
import { committedTables, type Row, tablesOf, writeTables } from './attempts/page.js';
import { closePlace, openPlace, type Place } from './attempts/place.js';
import { THEMES } from './attempts/themes.js';
import { concerns, type Seen, tryOut } from './attempts/try-out.js';

// Nobody gets more than their part. Each attempt is made for real, by everyone, and judged by its effect; that the
// test would see a success, a superuser shows. docs/security.md has the table. To renew that: npm run attempts

let place: Place;
const rows = new Map<Attempt, Row>();

beforeAll(async () => {
  place = await openPlace();
});

afterAll(() => closePlace(place));

describe.each([...THEMES, limits])('$name', ({ attempts }) => {
  it.each(attempts)(
    'only those whose part it is can: $what',
    async (attempt) => {
      expect(await tryOut(place, attempt, 'control')).toMatchObject({ success: true });

      const seen = new Map<Actor, Seen>();
      for (const actor of ACTORS.filter((one) => concerns(attempt, one))) {
        seen.set(actor, await tryOut(place, attempt, actor));
      }
      rows.set(attempt, { attempt, seen });

      const successful = [...seen].filter(([, { success }]) => success).map(([actor]) => actor);
      expect(successful).toEqual(ACTORS.filter((actor) => attempt.leave?.[actor] !== undefined));
    },
    120_000,
  );
});

it('the committed tables are what was seen', async () => {
  const tables = tablesOf(THEMES, limits, rows);
  if (process.env.PCACHE_WRITE_ATTEMPTS === '1') await writeTables(tables);
  expect(await committedTables(), 'renew them: npm run attempts').toBe(tables);
});

it('forty attempts and more were made, each of another name', () => {
  const names = THEMES.flatMap(({ attempts }) => attempts.map(({ what }) => what));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(40);
});
