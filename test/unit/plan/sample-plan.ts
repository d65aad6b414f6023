import type { Plan, PlannedStream } from '../../../src/plan/plan.js';

export const WORK: PlannedStream = {
  stream: 'work',
  database: 'app',
  schema: 'partitioncache',
  applied: [{ name: '0001_ledger', upChecksum: 'aa', downChecksum: 'bb' }],
  newer: [],
  preparation: [],
  migrations: [
    {
      name: '0002_next',
      sql: 'CREATE OR REPLACE FUNCTION partitioncache.f() …;\n',
      statements: 1,
      inTransaction: true,
      drops: [],
      locks: [
        { relation: 'public.queue', modes: ['AccessExclusiveLock'], rows: 1200, bytes: 65536 },
      ],
    },
  ],
  objects: [
    {
      kind: 'routine',
      name: 'partitioncache.f()',
      action: 'replaced',
      live: 'CREATE OR REPLACE FUNCTION partitioncache.f() …',
      asReleased: true,
      diff: '--- as released\n+++ as planned\n@@ -1 +1 @@\n-a\n+b',
    },
  ],
};

export const PLAN: Plan = {
  direction: 'up',
  packageVersion: '1.2.3',
  mode: 'cross',
  transport: 'deploy',
  names: { schema: 'partitioncache', migrator_role: 'migrator' },
  streams: [WORK],
  administrator: [{ database: 'postgres', lines: ['GRANT USAGE ON SCHEMA "cron" TO "c";'] }],
  fragmentRole: 'fragments',
  link: null,
  jobs: [
    {
      action: 'scheduled',
      jobName: 'a_1',
      schedule: '* * * * *',
      command: 'CALL',
      database: 'app',
    },
  ],
  unknown: [],
  obstacles: [],
  keptSchema: 'partitioncache_kept',
  kept: [],
  stillKept: [],
  givenUp: [],
  unchecked: [],
};

export function withWork(change: Partial<PlannedStream>): Plan {
  return { ...PLAN, streams: [{ ...WORK, ...change }] };
}
