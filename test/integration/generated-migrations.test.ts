import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockPolicy } from '../../src/deployment/lock-policy.js';
import { placeholderValues } from '../../src/deployment/placeholder-values.js';
import { readMigrations } from '../../src/migrations/read-migrations.js';
import { migrateDown, migrateUp } from '../../src/migrations/run-migrations.js';
import type { Settings } from '../../src/settings/settings.js';
import { nextPair } from '../../tools/migrations/next-pair.js';
import { parseRoutine } from '../../tools/migrations/routine.js';
import { readStreamSource, writePair } from '../../tools/migrations/stream-source.js';
import { connectAs, createSite, deploy, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';

type Sources = Record<string, string>;

const edit =
  (name: string, from: string | RegExp, to: string) =>
  (sources: Sources): Sources => {
    const text = sources[name] ?? '';
    expect(text.replace(from, to)).not.toBe(text);
    return { ...sources, [name]: text.replace(from, to) };
  };

const without =
  (...names: string[]) =>
  (sources: Sources): Sources =>
    Object.fromEntries(Object.entries(sources).filter(([name]) => !names.includes(name)));

// What npm run migration -- <name> writes for a change of the routines, run on a real deployment.
describe('the generated migration', () => {
  let site: TestSite;
  let settings: Settings;
  let client: pg.Client;
  let root: string;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    await deploy(settings);
    client = await connectAs(settings.work);
  });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'pcache-migrate-generated-'));
    await cp('migrations', join(root, 'migrations'), { recursive: true });
  });

  afterEach(() => rm(root, { recursive: true }));

  it.each([
    ['another body', edit('is_cached', 'RETURN false', 'RETURN NULL')],
    [
      'a new parameter',
      edit('is_deaf', 'p_cancelled_at timestamptz', 'p_cancelled_at timestamptz, p_more text'),
    ],
    [
      'a new column of a function that a view reads',
      edit(
        'known_fragment_rows',
        /, last_seen timestamp\)([\s\S]*)max\(known.last_seen\)/,
        ', last_seen timestamp, more text)$1max(known.last_seen), NULL::text',
      ),
    ],
    [
      'a grant more, of a trigger function',
      edit(
        'notify_queue',
        /$/,
        'GRANT EXECUTE ON FUNCTION {{schema}}.notify_queue TO {{client_role}};\n',
      ),
    ],
    [
      'a grant less, the first of two',
      edit('process_chunk', 'TO {{cron_role}}, {{client_role}}', 'TO {{client_role}}'),
    ],
    [
      'a view less, with the function that it reads',
      without('known_fragments', 'known_fragment_rows'),
    ],
    [
      'a new function that a view comes to read',
      (sources: Sources) =>
        edit(
          'known_fragments',
          'SELECT * FROM {{schema}}.known_fragment_rows()',
          'SELECT * FROM {{schema}}.other_rows()',
        )({
          ...sources,
          other_rows:
            sources.known_fragment_rows?.replaceAll('known_fragment_rows', 'other_rows') ?? '',
        }),
    ],
  ])('for %s runs up and down, and down restores the schema exactly', async (_, change) => {
    const source = await readStreamSource(process.cwd(), 'work');
    const edited = change(
      Object.fromEntries(source.routines.map(({ name, text }) => [name, text])),
    );
    const routines = Object.entries(edited).map(([name, text]) => parseRoutine(name, text));
    await writePair(root, 'work', nextPair({ ...source, routines }, 'generated'));
    const migrations = await readMigrations(join(root, 'migrations'), placeholderValues(settings));
    const by = { release: 2, packageVersion: '0.0.2' };
    const run = { client, schema: settings.schema, migrations, ...by, ...lockPolicy(() => {}) };

    const before = await dumpSchema(site.cluster, site.database);
    expect(await migrateUp(run)).toHaveLength(1);
    const after = await dumpSchema(site.cluster, site.database);
    expect(after).not.toBe(before);
    await migrateDown({ ...run, count: 1 });
    expect(await dumpSchema(site.cluster, site.database)).toBe(before);
    await migrateUp(run);
    expect(await dumpSchema(site.cluster, site.database)).toBe(after);
    await migrateDown({ ...run, count: 1 });
  });
});
