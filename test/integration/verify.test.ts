import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { fix, type VerifyReport, verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { createSite, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { differing, fixing, lines } from './verify/report.js';
import { type Place, type Sabotage, sabotages } from './verify/sabotages.js';

interface VerifySite {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly admins: Readonly<Record<Place, pg.Client>>;
  readonly place: Parameters<Sabotage['sql']>[0];
}

async function deployed(site: TestSite): Promise<VerifySite> {
  const settings = site.settings();
  await setUp(settings, { enable: false, parallel: 1 });
  const work = await adminClient(site.database, site.cluster);
  const cron = await adminClient(settings.cron.database, site.cluster);
  const other = `other_${randomBytes(4).toString('hex')}`;
  await work.query(`CREATE ROLE ${other}`);
  return {
    site,
    settings,
    admins: { work, cron },
    place: {
      schema: settings.schema,
      cronSchema: settings.cronSchema,
      queue: 'public.partitioncache_queue_query_fragment_queue',
      config: 'public.partitioncache_queue_processor_config',
      migrator: site.migrator.name,
      cronRole: site.cronRole.name,
      app: site.app.name,
      other,
    },
  };
}

async function leave({ admins, place }: VerifySite): Promise<void> {
  await admins.work.query(`DROP OWNED BY ${place.other}`);
  await admins.cron.query(`DROP OWNED BY ${place.other}`);
  await admins.work.query(`DROP ROLE ${place.other}`);
  await admins.work.end();
  await admins.cron.end();
}

/** Line by line and sorted: what was taken away and given again stands in another place. */
async function dumps({ site, settings }: VerifySite): Promise<string[]> {
  const dump = async (database: string, options: string[]) =>
    (await dumpSchema(site.cluster, database, options))
      .replace(/,$/gm, '')
      .split('\n')
      .sort()
      .join('\n');
  return [
    await dump(site.database, []),
    await dump(settings.cron.database, [`--schema=${settings.cronSchema}`]),
  ];
}

const cross = () => createSite();
const single = async () => {
  const cluster = await startOwnCluster({ cronDatabase: 'all_in_one' });
  const creator = await adminClient('postgres', cluster);
  await creator.query('CREATE DATABASE all_in_one');
  await creator.end();
  const admin = await adminClient('all_in_one', cluster);
  await admin.query('CREATE EXTENSION pg_cron');
  await admin.end();
  return createSite({ cluster, cronDatabase: 'all_in_one', database: 'all_in_one' });
};

describe.each([
  { mode: 'cross', create: cross, tried: sabotages },
  // What is another there is the schema of the cron stream.
  { mode: 'single', create: single, tried: sabotages.filter(({ place }) => place === 'cron') },
])('in $mode mode', ({ create, tried }) => {
  let at: VerifySite;
  let before: string[];

  beforeAll(async () => {
    at = await deployed(await create());
    before = await dumps(at);
    return () => leave(at);
  });

  it('nothing differs after a deployment, and all of it was looked at', async () => {
    const report = await verify(at.settings);
    expect({ ...report, databases: report.databases.map(differing) }).toMatchObject({
      databases: [[], []],
      jobs: [],
      unknown: [],
      clean: true,
    });
    expect(report.databases.map(({ objects }) => objects > 100)).toEqual([true, true]);
  });

  it('is not looked at where our schema has another owner, who is named', async () => {
    const { schema, migrator, other } = at.place;
    await at.admins.work.query(`ALTER SCHEMA ${schema} OWNER TO ${other}`);
    const refused = await verify(at.settings).catch((error: unknown) => error);
    await at.admins.work.query(`ALTER SCHEMA ${schema} OWNER TO ${migrator}`);
    expect(refused).toMatchObject({
      name: 'ForeignSchemaError',
      message: expect.stringContaining(`belongs to role "${other}"`),
    });
  });

  it.each(tried)('$name', async (sabotage) => {
    const admin = at.admins[sabotage.place];
    for (const statement of lines(sabotage.sql(at.place))) await admin.query(statement);

    const found = await verify(at.settings);
    expect(allDiffering(found)).toEqual(sabotage.named(at.place));
    expect(found.clean).toBe(false);

    const after = await fix(at.settings, fixing);
    if (sabotage.undo === undefined) {
      expect(after).toMatchObject({ clean: true, refused: [] });
    } else {
      expect(allDiffering(after)).toEqual(sabotage.named(at.place));
      expect(after.restored).toEqual([]);
      for (const statement of lines(sabotage.undo(at.place))) await admin.query(statement);
    }
    expect(await verify(at.settings)).toMatchObject({ clean: true });
    expect(await dumps(at)).toEqual(before);
  });
});

function allDiffering({ databases }: VerifyReport): string[] {
  return databases.flatMap(differing).sort();
}
