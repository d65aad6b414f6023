import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { inspect } from 'node:util';
import type pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { establishLink } from '../../src/jobs/cron-link.js';
import { readStatus } from '../../src/operations/status.js';
import {
  environmentFor,
  settingsFrom as quickstartSettings,
} from '../../tools/quickstart/environment.js';
import { prepareServer, rolesOf } from '../../tools/quickstart/prepare-server.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, type TestSite } from '../harness/deployment.js';
import { cli } from '../unit/cli/fake-world.js';

// All that a server can be told to write down of what it runs.
const EVERYTHING = {
  shared_preload_libraries: 'pg_cron,pg_stat_statements,auto_explain',
  'pg_stat_statements.track': 'all',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_verbose': 'on',
  log_statement: 'all',
  log_duration: 'on',
  log_min_duration_statement: '0',
  log_parameter_max_length_on_error: '-1',
  log_min_messages: 'debug5',
  log_min_error_statement: 'debug5',
  log_error_verbosity: 'verbose',
  log_connections: 'on',
  // With the values of parameters; what the trees before it have is in the statement's text, too.
  debug_print_plan: 'on',
};

// Each goes to the server in another way, to show that it would be found.
const CANARIES = { parameter: 'canary-parameter', nested: 'canary-nested', error: 'canary-error' };

let cluster: ThrowawayCluster;
let site: TestSite;
let admin: pg.Client;
let secrets: Record<string, string>;
/** All that the commands printed, on a server that writes everything and with every option to say more. */
let printed = '';

beforeAll(async () => {
  cluster = await startOwnCluster();
  const first = await adminClient('postgres', cluster);
  await first.query('CREATE EXTENSION pg_cron');
  await first.end();
  site = await createSite({ cluster, link: true });
  secrets = {
    administrator: cluster.adminPassword,
    migrator: site.migrator.password,
    'cron role': site.cronRole.password,
    client: site.app.password,
    'wrong password': randomBytes(12).toString('hex'),
  };
  await cluster.restart({ settings: EVERYTHING });
  admin = await adminClient(site.database, cluster);
  await admin.query('CREATE EXTENSION pg_stat_statements');
  await admin.query("SELECT set_config('application_name', $1, false)", [CANARIES.parameter]);
  await admin.query(
    `DO $$ BEGIN EXECUTE 'CREATE ROLE canary PASSWORD ''${CANARIES.nested}'''; END $$`,
  );
  await admin.query('SELECT $1::integer', [CANARIES.error]).catch(() => {});
  return () => admin.end();
});

async function run(line: string, changes: NodeJS.ProcessEnv = {}): Promise<number> {
  const env = site.environment({
    PG_ADMIN_USER: cluster.adminUser,
    PG_ADMIN_PASSWORD: cluster.adminPassword,
    ...changes,
  });
  const { code, stdout, stderr } = await cli(line.split(' '), { env, now: () => new Date() });
  printed += stdout + stderr;
  return code;
}

it('the commands do their work', async () => {
  expect(await run('config')).toBe(0);
  expect(await run('doctor')).toBe(0);
  expect(await run('setup --enable-after-setup --parallel 2')).toBe(0);
  expect(await run('up --verbose')).toBe(0);
  expect(await run('sync --json')).toBe(0);
  expect(await run('processor set --parallel 1')).toBe(0);
  expect(await run('status --verbose')).toBe(0);
  expect(await run('up', { PG_CRON_PASSWORD: secrets['wrong password'] })).toBe(1);
  expect(await run('doctor --json', { PCACHE_LINK_PORT: '1' })).toBe(1);
});

it('the quickstart prepares its server', async () => {
  const settings = quickstartSettings(environmentFor(cluster), tmpdir());
  await prepareServer(settings);
  await connectAs({ ...settings.client, database: 'postgres' });
  for (const { user, password } of rolesOf(settings)) secrets[user] = password ?? '';
});

it('a connection that is refused says why, without the password', async () => {
  const refused = await readStatus(site.settings({ DB_PASSWORD: secrets['wrong password'] })).catch(
    (error: unknown) => error,
  );
  expect(inspect(refused)).toContain('password authentication failed');
  printed += inspect(refused, { depth: 9, showHidden: true });
});

it('a link that cannot be made says why, without the password, and leaves the old one', async () => {
  const settings = site.settings({ PG_CRON_PASSWORD: secrets['wrong password'] });
  const work = await connectAs(settings.work);
  const attempt = () => establishLink(work, settings).catch((error: unknown) => error);
  const refused = await attempt();
  expect(inspect(refused)).toContain('password authentication failed');
  await admin.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''not this row''; END';
    CREATE TRIGGER refuse BEFORE INSERT ON partitioncache.cron_link FOR EACH ROW EXECUTE FUNCTION refuse()`);
  const halfWritten = await attempt();
  await admin.query('DROP FUNCTION refuse CASCADE');
  expect(inspect(halfWritten)).toContain('COPY cron_link, line 1');
  printed += inspect([refused, halfWritten], { depth: 9, showHidden: true });
  expect(await run('processor set --parallel 2')).toBe(0);
});

it('no password is in the log, in pg_stat_statements, in a table or in what was printed', async () => {
  const { rows: statements } = await admin.query('SELECT query FROM pg_stat_statements');
  const places = {
    'the log': await cluster.logs(),
    pg_stat_statements: JSON.stringify(statements),
    'the output': printed,
    ...(await tables()),
  };
  expect(await run('down --all --yes')).toBe(0);
  expect(traces(places, secrets)).toEqual(['table partitioncache.cron_link: cron role']);
  // What has been looked through would have shown them.
  expect(traces(places, CANARIES)).toEqual(
    expect.arrayContaining([
      'the log: parameter',
      'the log: nested',
      'the log: error',
      'pg_stat_statements: nested',
    ]),
  );
}, 240_000);

/** The rows of every table that is ours, the ledgers' included. */
async function tables(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const database of [site.database, 'postgres']) {
    const client = await adminClient(database, cluster);
    const { rows } = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
    );
    for (const { name } of rows) {
      const { rows: contents } = await client.query(`SELECT t::text FROM ${name} AS t`);
      texts[`table ${name}`] = JSON.stringify(contents);
    }
    await client.end();
  }
  return texts;
}

function traces(places: Record<string, string>, wanted: Record<string, string>): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(wanted)
      .filter(([, secret]) => text.includes(secret) || asPrintedInPlans(secret).test(text))
      .map(([whose]) => `${place}: ${whose}`),
  );
}

/** As debug_print_plan shows the bytes of a constant, over several lines. */
function asPrintedInPlans(secret: string): RegExp {
  return new RegExp([...Buffer.from(secret)].join('\\s+'));
}
