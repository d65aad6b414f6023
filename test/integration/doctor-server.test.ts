import { beforeAll, describe, expect, test } from 'vitest';
import { applyRemediesAsAdministrator } from '../../src/doctor/apply-remedies.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { sharedCluster, startOwnCluster } from '../harness/cluster.js';
import { createDatabase } from '../harness/databases.js';
import {
  asAdmin,
  CRON_DATABASE,
  complaints,
  createScenario,
  examine,
  expectStatus,
  find,
  fingerprint,
  grantCron,
  remedyText,
  type Scenario,
  withAdmin,
} from './doctor-scenario.js';

let cluster: ThrowawayCluster;
let scenario: Scenario;

beforeAll(async () => {
  cluster = await startOwnCluster({ preloadPgCron: false });
  scenario = await createScenario(cluster);
});

function withCronDatabase(settings: Settings, database: string): Settings {
  return { ...settings, cron: { ...settings.cron, database } };
}

/** Restarts with pg_cron in this database. */
function serve(database: string): Promise<void> {
  return cluster.restart({ settings: { 'cron.database_name': database } });
}

describe('pg_cron not loaded', () => {
  test('is reported with the lines for postgresql.conf, and nothing is fixed', async () => {
    const settings = withAdmin(scenario);
    const before = await fingerprint(scenario);
    for (const each of [scenario.settings, settings]) {
      const report = await examine(each);
      expect(complaints(report)).toEqual(['pg-cron-loaded']);
      expect(find(report, 'pg-cron-loaded').remedy?.lines).toEqual([
        'In postgresql.conf, keep what shared_preload_libraries already lists and append pg_cron:',
        "  shared_preload_libraries = 'pg_cron'",
        "  cron.database_name = 'postgres'",
        'Then restart the server: a reload is not enough.',
      ]);
      expectStatus(find(report, 'pg-cron-extension'), 'skipped');
      expect(await applyRemediesAsAdministrator(each, report)).toEqual([]);
    }
    expect(await fingerprint(scenario)).toEqual(before);
  });

  test('is not mistaken for loaded when cron.database_name is set, and other libraries are kept', async () => {
    await cluster.restart({
      settings: { shared_preload_libraries: 'auto_explain', 'cron.database_name': 'postgres' },
    });
    const check = find(await examine(scenario.settings), 'pg-cron-loaded');
    expectStatus(check, 'failed');
    expect(check.detail).toContain('cron.database_name is set, but that alone loads nothing');
    const asSuperuser = find(await examine(withAdmin(scenario)), 'pg-cron-loaded');
    expectStatus(asSuperuser, 'failed');
    expect(remedyText(asSuperuser)).toContain("shared_preload_libraries = 'auto_explain,pg_cron'");
  });
});

describe('pg_cron loaded', () => {
  beforeAll(() =>
    cluster.restart({ preloadPgCron: true, settings: { shared_preload_libraries: 'pg_cron' } }),
  );

  test('but not installed is reported, and fixed together with the grants', async () => {
    const settings = withAdmin(scenario);
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['pg-cron-extension']);
    const lines = await applyRemediesAsAdministrator(settings, report);
    expect(lines).toEqual([
      'CREATE EXTENSION pg_cron;',
      expect.stringContaining('GRANT USAGE ON SCHEMA "cron"'),
      expect.stringContaining('schedule_in_database'),
      expect.stringContaining('unschedule'),
    ]);
    expect(complaints(await examine(settings))).toEqual([]);
  });

  test('but too old is reported, and updated if the server has a newer version', async () => {
    await asAdmin(scenario, CRON_DATABASE, [
      'DROP EXTENSION pg_cron',
      "CREATE EXTENSION pg_cron VERSION '1.3'",
    ]);
    const settings = withAdmin(scenario);
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['pg-cron-version']);
    expect(find(report, 'pg-cron-version').detail).toContain('1.3 is too old');
    expectStatus(find(report, 'cron-schedule'), 'skipped');
    expect((await applyRemediesAsAdministrator(settings, report))[0]).toBe(
      'ALTER EXTENSION pg_cron UPDATE;',
    );
    expect(complaints(await examine(settings))).toEqual([]);
  });

  test('for another database is reported, with both remedies', async () => {
    const elsewhere = await createDatabase('elsewhere', { cluster });
    await serve(elsewhere);
    for (const settings of [scenario.settings, withAdmin(scenario)]) {
      const report = await examine(settings);
      expect(complaints(report)).toEqual(['pg-cron-database']);
      const check = find(report, 'pg-cron-database');
      expect(check.detail).toContain(`pg_cron serves database "${elsewhere}"`);
      expect(remedyText(check)).toContain(`set PG_CRON_DATABASE to ${elsewhere}`);
      expect(remedyText(check)).toContain("cron.database_name = 'postgres'");
      expect(await applyRemediesAsAdministrator(settings, report)).toEqual([]);
    }
    const moved = withCronDatabase(scenario.settings, elsewhere);
    expect(complaints(await examine(moved))).toEqual(['pg-cron-extension', 'cron-database-create']);
  });

  test('for a database that does not exist is reported as far as the roles may see it', async () => {
    await serve('nowhere');
    const check = find(await examine(scenario.settings), 'pg-cron-database');
    expectStatus(check, 'warning');
    expect(check.detail).toContain('no scheduler process of pg_cron is visible');
    const known = find(await examine(withAdmin(scenario)), 'pg-cron-database');
    expectStatus(known, 'failed');
    expect(known.detail).toContain('"nowhere"');
    await serve(CRON_DATABASE);
  });

  test('on another server than the work database is refused, with both addresses', async () => {
    const there = await createScenario(sharedCluster());
    await grantCron(there);
    const { cron } = there.settings;
    // So that nothing but the server is wrong.
    await asAdmin(scenario, CRON_DATABASE, [`CREATE ROLE ${cron.user} LOGIN`]);
    const settings = { ...withAdmin(scenario), cron };
    const report = await examine({ ...scenario.settings, cron });
    expect(complaints(report)).toEqual(['same-cluster']);
    const { detail } = find(report, 'same-cluster');
    expect(detail).toContain(`work database is on 127.0.0.1:${cluster.port} `);
    expect(detail).toContain(`pg_cron on 127.0.0.1:${cron.port} `);
    expect(detail).toContain('two different servers');
    expectStatus(find(report, 'pg-cron-loaded'), 'skipped');
    expect(await applyRemediesAsAdministrator(settings, report)).toEqual([]);
  });
});
