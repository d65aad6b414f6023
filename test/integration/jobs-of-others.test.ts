import type pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { SCHEDULE_LINES, scheduleLine } from '../../src/jobs/other-jobs.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { sharedCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';

const COMMANDS = {
  'one line': 'VACUUM',
  'several lines': "DO $$\r\nBEGIN\n\tPERFORM 'it''s';\n\nEND $$",
  backslashes: "SELECT 'a\\nb', E'\\\\', '\\u000a'\n-- \\",
  'what a terminal obeys': "SELECT 'a\u001b[2J\u0007\u009b1m\u007f' -- \u202e\u2066\u2028\u061c ü",
  "o'clock\n2": '  SELECT 1  \n',
} as const satisfies Record<string, string>;

const PREFIX = 'jobs of others: ';

let admin: pg.Client;

beforeAll(async () => {
  admin = await adminClient('postgres');
  for (const [name, command] of Object.entries(COMMANDS)) {
    await admin.query(
      "SELECT cron.schedule_in_database($1, '17 4 1 1 *', $2, 'template1', NULL, false)",
      [PREFIX + name, command],
    );
  }
  return async () => {
    await forget();
    await admin.end();
  };
});

const jobs = async () =>
  (
    await admin.query(
      `SELECT jobname::text, schedule, command, database, username, active FROM cron.job
        WHERE starts_with(jobname, $1) ORDER BY 1`,
      [PREFIX],
    )
  ).rows;

const forget = () =>
  admin.query('SELECT cron.unschedule(jobid) FROM cron.job WHERE starts_with(jobname, $1)', [
    PREFIX,
  ]);

it('lists the jobs of others by psql in a line each, which make the same jobs again', async () => {
  const before = await jobs();
  expect(before).toHaveLength(Object.keys(COMMANDS).length);
  const printed = await runServerTool(sharedCluster(), 'psql', [
    '--no-psqlrc',
    '--username=postgres',
    '--dbname=postgres',
    `--command=${SCHEDULE_LINES}`,
  ]);
  const lines = printed.split('\n').filter((line) => line.includes(PREFIX));
  expect(lines).toHaveLength(before.length);
  for (const line of lines) {
    expect(line).toMatch(/^ SELECT cron\.schedule_in_database\(E?'.*, '?f(alse)?'?\); *$/);
    expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  }
  await forget();
  for (const line of lines) await admin.query(line);
  expect(await jobs()).toEqual(before);
});

it('says the same as the lines that are printed for an administrator of the settings', async () => {
  const before = await jobs();
  await forget();
  for (const { jobname, username, ...job } of before) {
    const named = { jobName: jobname, role: username, jobId: 0, isOfPackage: false };
    await admin.query(scheduleLine({ ...named, ...job }));
  }
  expect(await jobs()).toEqual(before);
});
