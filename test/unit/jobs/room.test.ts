import { describe, expect, test } from 'vitest';
import { judgeRoom, type RoomFacts } from '../../../src/jobs/room.js';

const AMPLE: Readonly<Record<string, string>> = {
  'cron.max_running_jobs': '32',
  'cron.use_background_workers': 'off',
  max_worker_processes: '8',
  max_connections: '100',
  superuser_reserved_connections: '3',
  reserved_connections: '0',
};

function facts({
  settings = {},
  ...changes
}: Omit<Partial<RoomFacts>, 'settings'> & {
  settings?: Record<string, string | undefined>;
} = {}): RoomFacts {
  const shown = Object.entries({ ...AMPLE, ...settings }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    role: 'cron',
    database: 'work',
    own: 6,
    others: [],
    resting: 0,
    uncounted: 0,
    isComplete: true,
    schedulers: [],
    administrator: undefined,
    cronDatabase: 'cron',
    settings: new Map(shown),
    isSuperuser: false,
    hasReserved: false,
    roleLimit: -1,
    databaseLimit: -1,
    sessions: { all: 10, ofRole: 1, inDatabase: 4 },
    ...changes,
  };
}

const shortages = (changes: Parameters<typeof facts>[0]) => judgeRoom(facts(changes)).shortages;
const names = (changes: Parameters<typeof facts>[0]) => shortages(changes).map((s) => s.limit);
const OTHER = { database: 'other', role: 'cron', jobs: 30 };

test('nothing is short where all jobs fit', () => {
  expect(judgeRoom(facts())).toEqual({
    verdict: 'enough',
    shortages: [],
    unknown: [],
    detail:
      '6 jobs of this deployment can be due at once; max_connections = 100, cron.max_running_jobs = 32',
    notes: [],
  });
});

describe('cron.max_running_jobs', () => {
  test('is for the jobs of all deployments', () => {
    expect(names({ others: [{ ...OTHER, jobs: 25 }] })).toEqual([]);
    const [shortage] = shortages({ others: [{ ...OTHER, role: 'else' }] });
    expect(shortage).toEqual({
      limit: 'cron.max_running_jobs',
      value: 32,
      allows: 31,
      needs: 36,
      detail:
        '36 jobs can be due at once (6 of this deployment, 30 in database "other" as role "else"), and cron.max_running_jobs = 32 (less 1 for jobs that end at once) lets at most 31 run at once: the others start late or not at all',
      remedy: [
        'ALTER SYSTEM SET cron.max_running_jobs = 37;  -- takes effect with a restart of the server',
        "Or lower max_parallel_jobs of this deployment's processors, by 5 in all: pcache-migrate processor set --parallel <n>",
      ],
    });
  });

  test('cannot be raised above what bounds it, which comes first', () => {
    const both = shortages({ others: [{ ...OTHER, jobs: 200 }] });
    expect(both.map(({ limit }) => limit)).toEqual(['max_connections', 'cron.max_running_jobs']);
    expect(both[0]?.remedy[0]).toContain('max_connections = 221;');
    expect(both[1]?.remedy[0]).toContain('once max_connections is raised and in effect');
  });

  test('is not to be helped by fewer jobs here where the others alone are too many', () => {
    const [shortage] = shortages({ others: [{ ...OTHER, jobs: 40 }] });
    expect(shortage?.remedy).toHaveLength(1);
  });
});

test('max_worker_processes is a limit with background workers alone, and no other is', () => {
  const on = { 'cron.use_background_workers': 'on' };
  expect(names({ own: 7 })).toEqual([]);
  expect(names({ own: 6, settings: on, roleLimit: 1, databaseLimit: 1 })).toEqual([]);
  const [shortage] = shortages({ own: 7, settings: on });
  expect(shortage).toMatchObject({ limit: 'max_worker_processes', allows: 6, needs: 7 });
  expect(shortage?.detail).toContain('parallel workers of queries come from the same pool');
  expect(shortage?.remedy[0]).toContain('ALTER SYSTEM SET max_worker_processes = 9;');
});

describe('max_connections', () => {
  const settings = { max_connections: '30', reserved_connections: '5' };

  test('is less what is reserved, what others have now, and a command of ours', () => {
    const [shortage] = shortages({ own: 11, settings });
    expect(shortage).toMatchObject({ limit: 'max_connections', value: 30, allows: 10, needs: 11 });
    expect(shortage?.remedy[0]).toContain('ALTER SYSTEM SET max_connections = 31;');
  });

  test('is not less what this role has a right to', () => {
    expect(names({ own: 15, hasReserved: true, settings })).toEqual([]);
    expect(names({ own: 18, hasReserved: true, isSuperuser: true, settings })).toEqual([]);
  });
});

describe("a role's CONNECTION LIMIT", () => {
  test('is for its own jobs, in whichever database', () => {
    const others = [OTHER, { database: 'third', role: 'else', jobs: 1 }].map((other) => ({
      ...other,
      jobs: 2,
    }));
    expect(names({ others, roleLimit: 11 })).toEqual([]);
    const [shortage] = shortages({ others, roleLimit: 10 });
    expect(shortage).toMatchObject({ limit: 'role', value: 10, allows: 7, needs: 8 });
    expect(shortage?.detail).toContain('CONNECTION LIMIT 10 of role "cron"');
    expect(shortage?.remedy[0]).toBe('ALTER ROLE "cron" CONNECTION LIMIT 11;');
  });

  test('does not keep out a superuser', () => {
    expect(names({ isSuperuser: true, roleLimit: 0, databaseLimit: 0 })).toEqual([]);
  });
});

test("the work database's CONNECTION LIMIT is for the jobs in it, of whichever role", () => {
  const others = [OTHER, { database: 'work', role: 'else', jobs: 2 }].map((other) => ({
    ...other,
    jobs: 2,
  }));
  expect(names({ others, databaseLimit: 14 })).toEqual([]);
  const [shortage] = shortages({ others, databaseLimit: 13 });
  expect(shortage).toMatchObject({ limit: 'database', value: 13, allows: 7, needs: 8 });
  expect(shortage?.remedy[0]).toBe('ALTER DATABASE "work" CONNECTION LIMIT 14;');
});

test('names are shown in one line, and can be pasted', () => {
  const [shortage] = shortages({ role: 'a"\nb', roleLimit: 0 });
  expect(shortage?.detail).toContain('role "a"\\nb"');
  expect(shortage?.remedy[0]).toBe(String.raw`ALTER ROLE U&"a""\000ab" CONNECTION LIMIT 9;`);
});

test('what no role may see is named, and what depends on it is said to', () => {
  const settings = {
    'cron.max_running_jobs': undefined,
    'cron.use_background_workers': undefined,
    max_worker_processes: '1',
  };
  const room = judgeRoom(facts({ settings, roleLimit: 1 }));
  const { verdict, shortages: found, unknown } = room;
  expect(verdict).toBe('short');
  expect(unknown).toEqual([
    {
      reason:
        'cron.max_running_jobs and cron.use_background_workers are hidden from the roles of this deployment',
      remedy: [
        'GRANT pg_read_all_settings TO "cron";',
        'Or set PG_ADMIN_USER and PG_ADMIN_PASSWORD for this command: it asks as that role then.',
      ],
    },
  ]);
  expect(found.map(({ limit }) => limit)).toEqual(['role']);
  expect(found[0]?.detail).toMatch(/, unless cron.use_background_workers is on, which is hidden$/);
});

describe('the verdict is unknown', () => {
  test('where a setting is hidden and no limit is known to be too low', () => {
    const settings = { 'cron.max_running_jobs': undefined };
    const { verdict, unknown } = judgeRoom(facts({ settings }));
    expect(verdict).toBe('unknown');
    expect(unknown[0]?.reason).toBe(
      'cron.max_running_jobs is hidden from the roles of this deployment',
    );
  });

  test('where other roles may have jobs that are hidden', () => {
    const schedulers = ['a', 'b', 'c', 'd', 'e'];
    const { verdict, unknown, notes } = judgeRoom(facts({ isComplete: false, schedulers }));
    expect(verdict).toBe('unknown');
    expect(unknown[0]?.reason).toBe(
      'jobs of other roles are hidden from role "cron", and "a", "b", "c", 2 more may have some here',
    );
    expect(notes).toEqual([]);
  });

  test('and says what became of asking the administrator', () => {
    const settings = { 'cron.max_running_jobs': undefined };
    const reason = (failure?: string) =>
      judgeRoom(facts({ settings, administrator: { user: 'boss', ...(failure && { failure }) } }))
        .unknown[0]?.reason;
    expect(reason()).toMatch(/, and from role "boss" \(PG_ADMIN_USER\)$/);
    expect(reason('no\nanswer')).toMatch(
      / \(role "boss" \(PG_ADMIN_USER\) could not be asked: no; answer\)$/,
    );
  });
});

test('jobs that were not counted are mentioned', () => {
  expect(judgeRoom(facts({ isComplete: false, uncounted: 2 })).notes).toEqual([
    'Jobs of other roles are hidden from role "cron", and not counted.',
    '2 jobs that start at their own times are not counted.',
  ]);
});

test('of many deployments those with the most jobs are named', () => {
  const others = [1, 2, 3, 4, 5].map((jobs) => ({ database: `d${jobs}`, role: 'cron', jobs }));
  expect(judgeRoom(facts({ others })).detail).toContain(
    '21 jobs can be due at once (6 of this deployment, 5 in database "d5" as role "cron", 4 in database "d4" as role "cron", 3 in database "d3" as role "cron", 3 of 2 more)',
  );
});
