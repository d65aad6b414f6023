import { beforeAll, expect, test } from 'vitest';
import { applyRemediesAsAdministrator } from '../../src/doctor/apply-remedies.js';
import { down } from '../../src/operations/down.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { sharedCluster, startOwnCluster } from '../harness/cluster.js';
import {
  asAdmin,
  CRON_DATABASE,
  complaints,
  createScenario,
  deploy,
  examine,
  examineOne,
  expectStatus,
  find,
  fingerprint,
  grantCron,
  remedyText,
  runRemedy,
  type Scenario,
  withAdmin,
} from './doctor-scenario.js';

let cluster: ThrowawayCluster;
let scenario: Scenario;

beforeAll(async () => {
  cluster = await startOwnCluster();
  await asAdmin({ cluster }, CRON_DATABASE, ['CREATE EXTENSION pg_cron']);
  scenario = await createScenario(cluster, { transport: 'link' });
  await grantCron(scenario);
});

const inWork = (...statements: string[]) =>
  asAdmin(scenario, scenario.settings.work.database, statements);

function withLink(link: Partial<Settings['link']>): Settings {
  return { ...scenario.settings, link: { ...scenario.settings.link, ...link } };
}

test('a missing dblink is reported, and fixed', async () => {
  const settings = withAdmin(scenario);
  const report = await examine(settings);
  expect(complaints(report)).toEqual(['dblink-extension']);
  expectStatus(find(report, 'link-login'), 'skipped');
  expect(await applyRemediesAsAdministrator(settings, report)).toEqual([
    'CREATE EXTENSION dblink SCHEMA "public";',
  ]);
  expect(complaints(await examine(settings))).toEqual([]);
});

test('each missing grant is found, and its lines fix it', async () => {
  await inWork(
    `REVOKE TEMPORARY ON DATABASE ${scenario.settings.work.database} FROM PUBLIC, ${scenario.settings.work.user}`,
    'REVOKE EXECUTE ON FUNCTION public.dblink_connect(text, text) FROM PUBLIC',
  );
  const report = await examine(scenario.settings);
  expect(complaints(report)).toEqual(['dblink-usage']);
  expect(find(report, 'dblink-usage').remedy?.lines).toHaveLength(2);
  await runRemedy(scenario, find(report, 'dblink-usage'));
  expect(complaints(await examine(scenario.settings))).toEqual([]);
});

test('the trial leaves nothing behind, and no password in a statement', async () => {
  const before = await fingerprint(scenario);
  const check = await examineOne(scenario.settings, 'link-login');
  expectStatus(check, 'ok');
  expect(check.detail).toContain(`127.0.0.1:${cluster.serverPort}`);
  expect(await fingerprint(scenario)).toEqual(before);
  const sessions = await asAdmin(scenario, CRON_DATABASE, [
    `SELECT FROM pg_stat_activity WHERE usename = '${scenario.settings.cron.user}'`,
  ]);
  expect(sessions).toEqual([]);
});

test('a password with quotes and backslashes gets through', async () => {
  const password = `o'clock \\ "x" = 'y'`;
  await inWork(
    `ALTER ROLE ${scenario.settings.cron.user} PASSWORD '${password.replaceAll("'", "''")}'`,
  );
  const { settings } = scenario;
  scenario = { ...scenario, settings: { ...settings, cron: { ...settings.cron, password } } };
  expectStatus(await examineOne(scenario.settings, 'link-login'), 'ok');
});

test('an address that the server cannot reach is reported without the password', async () => {
  const check = await examineOne(withLink({ port: 1 }), 'link-login');
  expectStatus(check, 'failed');
  expect(check.detail).toContain('127.0.0.1:1');
  expect(check.detail).toContain('Connection refused');
  expect(remedyText(check)).toContain('PCACHE_LINK_HOST and PCACHE_LINK_PORT');
  expect(JSON.stringify(check)).not.toContain(scenario.settings.cron.password);
});

test('another server at the other end is refused', async (context) => {
  const { cron } = scenario.settings;
  const other = sharedCluster();
  context.skip(other.runtime !== 'local', 'a container does not reach another one by this address');
  await asAdmin({ cluster: other }, CRON_DATABASE, [
    `CREATE ROLE ${cron.user} LOGIN PASSWORD '${(cron.password ?? '').replaceAll("'", "''")}'`,
  ]);
  const check = await examineOne(withLink({ port: other.port }), 'link-login');
  expectStatus(check, 'failed');
  expect(check.detail).toContain('is another server');
});

test('a deployment with it is sound', async () => {
  await deploy(scenario.settings);
  expect(complaints(await examine(scenario.settings))).toEqual([]);
});

test('whoever may read its password is named, and up takes that away', async () => {
  const { work, cron, client } = scenario.settings;
  await inWork(
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${work.user} GRANT SELECT ON TABLES TO ${client.user}`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA partitioncache TO ${client.user}`,
    `GRANT SELECT (password) ON partitioncache.cron_link TO ${cron.user}, PUBLIC`,
  );
  const check = await examineOne(scenario.settings, 'link-readers');
  expectStatus(check, 'warning');
  expect(check.detail).toContain(`"${cron.user}"`);
  expect(check.remedy?.lines).toHaveLength(3);
  await deploy(scenario.settings);
  expectStatus(await examineOne(scenario.settings, 'link-readers'), 'ok');

  await inWork(`GRANT SELECT (password) ON partitioncache.cron_link TO ${cron.user}, PUBLIC`);
  await runRemedy(scenario, await examineOne(scenario.settings, 'link-readers'));
  expectStatus(await examineOne(scenario.settings, 'link-readers'), 'ok');
});

test('whoever may read it by pg_read_all_data is named', async (context) => {
  const { client } = scenario.settings;
  const [role] = await asAdmin(scenario, CRON_DATABASE, [
    "SELECT FROM pg_roles WHERE rolname = 'pg_read_all_data'",
  ]);
  context.skip(role === undefined, 'that role came with PostgreSQL 14');
  await inWork(`GRANT pg_read_all_data TO ${client.user}`);
  const check = await examineOne(scenario.settings, 'link-readers');
  expectStatus(check, 'warning');
  expect(check.detail).toContain(`"${client.user}" may read the table`);
  await runRemedy(scenario, check);
  expectStatus(await examineOne(scenario.settings, 'link-readers'), 'ok');
});

test('default privileges give nobody the password', async () => {
  const { settings } = scenario;
  await down(settings, {
    streams: ['cron', 'work'],
    extent: { all: true },
    confirm: async () => true,
    drainSeconds: 5,
    waitSeconds: 5,
    onWait() {},
    log() {},
  });
  await deploy(settings);
  expectStatus(await examineOne(settings, 'link-readers'), 'ok');
});

test('trust makes it unavailable, which is reported with the line for pg_hba.conf', async () => {
  const { settings } = scenario;
  const [directory] = await asAdmin<{ path: string }>(scenario, CRON_DATABASE, [
    "SELECT current_setting('data_directory') AS path",
  ]);
  const file = `${directory?.path}/trusting_hba.conf`;
  await writeOnServer(file, ['local all all trust', 'host all all samehost trust', OTHERWISE]);
  await cluster.restart({ settings: { hba_file: file } });
  const check = await examineOne(settings, 'link-login');
  expectStatus(check, 'failed');
  expect(check.detail).toContain('without asking for a password');
  const line = check.remedy?.lines.find((each) => each.includes('samehost'))?.trim() ?? '';
  expect(line).toBe(`host "postgres" "${settings.cron.user}" samehost scram-sha-256`);

  await writeOnServer(file, [
    'local all all trust',
    line,
    'host all all samehost trust',
    OTHERWISE,
  ]);
  await asAdmin(scenario, CRON_DATABASE, ['SELECT pg_reload_conf()']);
  await expect
    .poll(() => examineOne(settings, 'link-login').then(({ status }) => status))
    .toBe('ok');
});

const OTHERWISE = 'host all all all scram-sha-256';

async function writeOnServer(file: string, lines: readonly string[]): Promise<void> {
  const values = lines.map((line) => `('${line.replaceAll("'", "''")}')`).join(', ');
  // Quotes in pg_hba.conf are plain text; COPY's own format would double them.
  await asAdmin(scenario, CRON_DATABASE, [
    `COPY (SELECT * FROM (VALUES ${values}) AS line) TO '${file}'`,
  ]);
}
