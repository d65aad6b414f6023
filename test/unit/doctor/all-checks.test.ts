import { expect, test } from 'vitest';
import { checksFor } from '../../../src/doctor/all-checks.js';
import type { Settings } from '../../../src/settings/settings.js';

const connection = {
  host: 'localhost',
  port: 5432,
  user: 'me',
  password: undefined,
  database: 'work',
  ssl: { mode: 'prefer' as const },
};

const settings: Settings = {
  mode: 'cross',
  transport: 'link',
  work: connection,
  cron: { ...connection, database: 'postgres' },
  client: connection,
  planner: undefined,
  admin: { user: 'postgres', password: undefined },
  link: { host: 'localhost', port: undefined },
  fragmentRole: undefined,
  schema: 'partitioncache',
  clientSchema: 'public',
  cronSchema: 'partitioncache_work',
  queuePrefix: 'queue',
  tablePrefix: 'cache',
  cacheBackend: 'array',
};

function ids(changes: Partial<Settings>, streams: ('work' | 'cron')[] = ['work', 'cron']) {
  return checksFor({ settings: { ...settings, ...changes }, streams }).map(({ id }) => id);
}

test('every check has an id of its own, and comes after what it needs', () => {
  const seen = new Set<string>();
  for (const { id, needs } of checksFor({ settings, streams: ['work', 'cron'] })) {
    expect(seen, `twice: ${id}`).not.toContain(id);
    expect([...seen], `needed by ${id}`).toEqual(expect.arrayContaining([...needs]));
    seen.add(id);
  }
});

test('what does not apply is left out', () => {
  expect(ids({ mode: 'single', transport: 'direct' })).not.toContain('same-cluster');
  expect(ids({ transport: 'deploy' })).not.toContain('dblink-extension');
  expect(ids({ admin: undefined })).not.toContain('admin-connection');
  expect(ids({})).not.toContain('client-schema-fragment-role');
  expect(ids({ fragmentRole: 'fragments' })).toContain('client-schema-fragment-role');
  expect(ids({ cacheBackend: 'roaringbit' })).not.toContain('intarray');
  expect(ids({ cacheBackend: 'roaringbit' })).toContain('roaringbitmap');
});

test('each stream is checked for what it needs alone', () => {
  expect(ids({}, ['work']).filter((id) => /cron-(?!role)/u.test(id))).toEqual([]);
  expect(ids({}, ['cron'])).not.toContain('client-schema-migrator');
  expect(ids({}, ['cron'])).toContain('work-connection');
});
