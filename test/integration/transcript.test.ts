import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  addMigration,
  type BuiltCli,
  buildCli,
  type FurtherScripts,
  setVersion,
} from '../harness/built-cli.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin } from '../harness/moved-databases.js';
import { startShell } from '../harness/shell.js';

// README.md shows one review and one deployment as they are. To write that part again: npm run transcript

const MARKS = [
  '<!-- transcript: written by test/integration/transcript.test.ts -->',
  '<!-- /transcript -->',
] as const;

let cli: BuiltCli;
let site: TestSite;

beforeAll(async () => {
  cli = await buildCli();
  // Beside sites of other files, the room would depend on what those have scheduled.
  const cluster = await startOwnCluster();
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
  site = await createSite({ cluster, readsSettings: true });
  await setUp(site.settings());
  await setVersion(cli, '0.2.0');
  await addMigration(cli, 'longer_grace', longerGrace());
});

afterAll(() => cli?.remove());

/** A version that gives a fragment twice the time to obey a cancel. */
function longerGrace(): FurtherScripts {
  const source = readFileSync('routines/work/is_deaf.sql', 'utf8');
  const statement = source.slice(source.indexOf('CREATE'), source.indexOf('COMMENT')).trimEnd();
  const longer = statement.replace(').grace,', ').grace * 2,');
  expect(longer).not.toBe(statement);
  // As measured of a migration that makes a function as well.
  const locks = readFileSync('migrations/0014_clocks.locks.json', 'utf8');
  return { up: `${longer}\n`, down: `${statement}\n`, locks };
}

it('README.md shows a review and a deployment as they are', async () => {
  const plan = await run('plan');
  const hash = /sha256:[0-9a-f]{64}[-a-z,]*/.exec(plan.stdout)?.[0];
  const shown: string[] = [];
  const show = (comment: string, command: string, { stdout }: { stdout: string }) =>
    shown.push(`# ${comment}\n$ npx pcache-migrate ${command}\n${stdout.trimEnd()}`);
  show('exit code 3: something is pending', 'plan', plan);
  expect(plan.code).toBe(3);
  const deployed = await run(`up --plan ${hash}`);
  show('exit code 5 if the plan had changed', `up --plan ${hash}`, deployed);
  expect(deployed.code, plan.stdout + deployed.stderr).toBe(0);
  const verified = await run('verify');
  show('exit code 3 if anything differed', 'verify', verified);
  expect(verified.code).toBe(0);
  const history = await run('history');
  show('the last one first', 'history', { stdout: aligned(plainly(history.stdout)) });
  const made = `${MARKS[0]}\n\n\`\`\`console\n${plainly(shown.join('\n\n'))}\n\`\`\`\n\n${MARKS[1]}`;
  const readme = readFileSync('README.md', 'utf8');
  const [from, to] = [readme.indexOf(MARKS[0]), readme.indexOf(MARKS[1]) + MARKS[1].length];
  if (process.env.PCACHE_WRITE_TRANSCRIPT === '1') {
    writeFileSync('README.md', readme.slice(0, from) + made + readme.slice(to));
  } else {
    expect(readme.slice(from, to)).toBe(made);
  }
});

function run(command: string) {
  return startShell(`${process.execPath} ${cli.main} ${command}`, {
    cwd: cli.folder,
    env: { ...site.environment(), PCACHE_RELEASE_NOTE: 'commit 4f2a91c' },
  }).ended;
}

/** A table whose cells have another width than they had. */
function aligned(text: string): string {
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** With names, hash, times and host that say nothing of the machine. */
function plainly(text: string): string {
  return text
    .replaceAll(site.database, 'partition_cache_db')
    .replaceAll(site.migrator.name, 'partitioncache')
    .replaceAll(/sha256:[0-9a-f]{64}[-a-z,]*/g, 'sha256:3b1f…c09e')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-11-26T09:41:27Z')
    .replaceAll(hostname(), 'deploy-7f4c9')
    .replaceAll(/\b\d+ (?:ms|s)\b/g, '2 s');
}
