import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { createSite, deploy } from '../harness/deployment.js';

// docs/processor.md, "Relations between clocks", says what breaks where one of these does not hold.
describe('the clocks of the processor', () => {
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    const site = await createSite();
    settings = site.settings();
    await deploy(settings);
    admin = await adminClient(site.database);
    return () => admin.end();
  });

  it.each([
    'overdue + chunk < sharing',
    'overdue <= held_up',
    "overdue <= interval '1 s'", // the least timeout_seconds
    'batch < overdue',
    'chunk < held_up',
    'chunk < batch',
    'look * 5 < grace',
    'look <= unseen',
    "run >= interval '1 min'", // the start interval of pg_cron before 1.5
    "maintenance < interval '1 min' AND maintenance >= interval '1 min' - look",
    "idle < run AND idle > interval '1 s'",
  ])('keep to: %s', async (relation) => {
    const { rows } = await admin.query(
      `SELECT (${relation}) AS holds FROM ${settings.schema}.clocks()`,
    );
    expect(rows).toEqual([{ holds: true }]);
  });

  it('keep lock timeouts of runs below the deadlock_timeout, so that a client is no victim', async () => {
    const { rows } = await admin.query<{ routine: string; timeout: string }>(
      `SELECT proname AS routine, substring(setting FROM 'lock_timeout=(.*)') AS timeout
         FROM pg_proc, unnest(proconfig) AS setting
        WHERE pronamespace = '${settings.schema}'::regnamespace AND setting LIKE 'lock_timeout=%'`,
    );
    expect(rows.length).toBeGreaterThan(3);
    const { rows: tooLong } = await admin.query(
      `SELECT routine FROM unnest($1::text[], $2::interval[]) AS given (routine, timeout)
        WHERE timeout >= (SELECT boot_val::integer * interval '1 ms' FROM pg_settings WHERE name = 'deadlock_timeout')`,
      [rows.map(({ routine }) => routine), rows.map(({ timeout }) => timeout)],
    );
    // Widening waits longer, and holds nothing meanwhile that a client needs.
    expect(tooLong).toEqual([{ routine: 'widen_for' }]);
  });
});
