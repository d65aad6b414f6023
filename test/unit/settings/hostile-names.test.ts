import { describe, expect, test } from 'vitest';
import type { Settings } from '../../../src/settings/settings.js';
import { hostileName, hostilePassword, impossibleName } from '../../harness/hostile-names.js';
import { type Random, seededRandom } from '../../harness/random.js';
import { type Env, problemsOf, settingsOf } from './helpers.js';

const DRAWS = 100;

const { seed } = seededRandom();
const hint = `PCACHE_TEST_SEED=${seed}`;
console.log(`hostile names in settings: ${hint}`);

/** Where each variable's name ends up. */
const NAMES: Readonly<Record<string, (settings: Settings) => string | undefined>> = {
  DB_USER: ({ work }) => work.user,
  DB_NAME: ({ work }) => work.database,
  PG_CRON_USER: ({ cron }) => cron.user,
  PG_CRON_DATABASE: ({ cron }) => cron.database,
  PG_QUEUE_USER: ({ client }) => client.user,
  PG_ADMIN_USER: ({ admin }) => admin?.user,
  PG_PLAN_USER: ({ planner }) => planner?.user,
  PG_FRAGMENT_ROLE: ({ fragmentRole }) => fragmentRole,
  PCACHE_CLIENT_SCHEMA: ({ clientSchema }) => clientSchema,
};
/** With the most bytes that each may have. */
const PLAIN_NAMES: readonly (readonly [variable: string, maxBytes: number])[] = [
  ['PCACHE_SCHEMA', 58],
  ['PG_QUEUE_TABLE_PREFIX', 40],
  ['PG_ARRAY_CACHE_TABLE_PREFIX', 43],
];

function eachDraw(check: (random: Random) => void): void {
  const random = seededRandom(seed);
  for (let draw = 0; draw < DRAWS; draw += 1) check(random);
}

describe.each(Object.entries(NAMES))('%s', (variable, nameIn) => {
  test('any name that PostgreSQL can give arrives to the letter', () => {
    eachDraw((random) => {
      const name = hostileName(random);
      expect(nameIn(settingsOf({ [variable]: name })), hint).toBe(name);
    });
  });

  test('any other name is refused, with the name of the variable', () => {
    eachDraw((random) => {
      const { name, reason } = impossibleName(random);
      expect(problemsOf({ [variable]: name }), `${hint}: ${JSON.stringify(name)}`).toEqual([
        {
          variable,
          message: expect.stringMatching(reason),
          remedy: expect.stringMatching(/that exists, exactly as PostgreSQL lists it\.$/),
        },
      ]);
    });
  });
});

test.each(PLAIN_NAMES)('%s is plain, or refused with its name', (variable, maxBytes) => {
  eachDraw((random) => {
    const name = random.chance(0.5) ? hostileName(random) : impossibleName(random).name;
    const refused = problemsOf({ [variable]: name }).map((problem) => problem.variable);
    const plain = /^[a-z_][a-z0-9_]*$/.test(name) && name.length <= maxBytes && !/^pg_/.test(name);
    expect(refused, `${hint}: ${JSON.stringify(name)}`).toEqual(plain ? [] : [variable]);
  });
});

test('names and passwords arrive through a URI as well', () => {
  eachDraw((random) => {
    const [user, password, database] = [
      hostileName(random),
      hostilePassword(random),
      hostileName(random),
    ];
    const DB_URL = `postgresql://${[user, password].map(encodeURIComponent).join(':')}@h/${encodeURIComponent(database)}`;
    const env: Env = { DB_USER: undefined, DB_NAME: undefined, DB_URL };
    expect(settingsOf(env).work, `${hint}: ${DB_URL}`).toMatchObject({ user, password, database });
  });
});
