import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { down } from '../../src/deployment/down.js';
import { readStatus } from '../../src/deployment/status.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import {
  bitBackend,
  clientsOwnTables,
  clientsOwnVersion,
  contractFunctions,
  type Scenario,
  startScenario,
} from './client-contract.js';

function takeDown(settings: Settings, to?: string) {
  return down(settings, {
    streams: to === undefined ? ['work', 'cron'] : ['work'],
    extent: to === undefined ? { all: true } : { to },
    confirm: async () => true,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
  });
}

/** One role deploys, schedules and is the client: the guide's `your_username`. */
async function createSingleRoleSite(environment: NodeJS.ProcessEnv) {
  const site = await createSite();
  const { name, password } = site.cronRole;
  const admin = await adminClient(site.database);
  await admin.query(
    `GRANT CREATE ON DATABASE ${site.database} TO ${name}; GRANT USAGE, CREATE ON SCHEMA public TO ${name}`,
  );
  await admin.end();
  const settings = site.settings({
    DB_USER: name,
    DB_PASSWORD: password,
    PG_QUEUE_USER: name,
    PG_QUEUE_PASSWORD: password,
    ...environment,
  });
  return { site, settings };
}

describe.each([
  ['array', {}],
  ['bit', bitBackend],
])('a client whose role owns the %s deployment', (backend, environment) => {
  let site: TestSite;
  let settings: Settings;
  let client: pg.Client;
  let empty: string;

  beforeAll(async () => {
    ({ site, settings } = await createSingleRoleSite(environment));
    empty = await dumpSchema(site.cluster, site.database);
    await setUp(settings, { enable: false, parallel: 1, frequencySeconds: 3600 });
    client = await connectAs(settings.client);
  });

  async function replaceFunctions(): Promise<void> {
    for (const contract of contractFunctions) await client.query(clientsOwnVersion(contract));
    for (const { name } of contractFunctions) {
      const { rows } = await client.query('SELECT prosrc FROM pg_proc WHERE proname = $1', [name]);
      for (const { prosrc } of rows) expect(prosrc).toContain(`own ${name} was called`);
    }
  }

  let sets = 0;
  /** A partition key that is new, so that its table has to be made. */
  async function queue(): Promise<string> {
    sets += 1;
    const key = `key ${sets}`;
    await client.query(
      `INSERT INTO ${tablesOf(settings).fragmentQueue} (hash, partition_key, partition_datatype, query) VALUES
         ('narrow', $1, 'integer', 'SELECT 3'), ('wide', $1, 'integer', 'SELECT 1234')`,
      [key],
    );
    return key;
  }

  async function expectCached(key: string): Promise<void> {
    const { rows } = await client.query(
      `SELECT query_hash, partition_keys_count AS count FROM ${settings.tablePrefix}_cache_${key.replace(' ', '_')} ORDER BY 1`.replace(
        `_cache_${key.replace(' ', '_')}`,
        '_cache_key_placeholder',
      ),
    );
    expect(rows).toEqual([]);
  }

  it('may replace every function by its own: nothing of ours calls them', async () => {
    await replaceFunctions();
    await expectCached(await queue());
    expect(backend).toBe(backend);
    await runProcessor(client, settings, defaultJobName(settings), 10);
    await readStatus(settings);
    await deploy(settings);
    await enqueue(client, settings, []);
    await takeDown(settings);
    expect(await dumpSchema(site.cluster, site.database)).toBe(empty);
  });
});
