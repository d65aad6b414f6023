import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReportDocument } from '../../src/cli/json-shape.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, deploy, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationNames } from '../harness/package-migrations.js';
import { startShell } from '../harness/shell.js';

// Each replica of an application starts by deploying, all at the same time. One of them does it; the others wait and
// find nothing to do.

const REPLICAS = 4;

let cli: BuiltCli;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

async function upOnAll(site: TestSite, changes: NodeJS.ProcessEnv = {}) {
  const replicas = Array.from({ length: REPLICAS }, () =>
    startShell('exec $NODE $MAIN up --json', {
      cwd: cli.folder,
      env: { MAIN: cli.main, NODE: process.execPath, ...site.environment(changes) },
    }),
  );
  const ended = await Promise.all(replicas.map((replica) => replica.ended));
  expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
  return ended.map(({ stdout }) => JSON.parse(stdout) as ReportDocument<'up'>);
}

/** What each replica did, the one that did something first. */
function applied(reports: readonly ReportDocument<'up'>[]) {
  return reports
    .map(({ streams }) => streams.map(({ migrations }) => migrations))
    .sort((one, other) => other.flat().length - one.flat().length);
}

async function expectOneDeployment(reports: readonly ReportDocument<'up'>[]) {
  const all = [await migrationNames('work'), await migrationNames('cron')];
  expect(applied(reports)).toEqual([all, ...Array(REPLICAS - 1).fill([[], []])]);
}

/** The schema of both databases, with the names of the site's roles and database replaced. */
async function schemaOf(site: TestSite): Promise<string> {
  const cron = site.settings().cronSchema;
  const dumps = [
    await dumpSchema(site.cluster, site.database),
    await dumpSchema(site.cluster, 'postgres', [`--schema=${cron}`]),
  ];
  const names = { migrator: site.migrator, cron_role: site.cronRole, client_role: site.app };
  return Object.entries(names)
    .reduce((text, [plain, { name }]) => text.replaceAll(name, plain), dumps.join('\n'))
    .replaceAll(site.fragmentRole ?? '', 'fragment_role')
    .replaceAll(site.database, 'work_database');
}

it('one of several runs deploys, the others wait and find nothing to do', async () => {
  const site = await createSite();
  await expectOneDeployment(await upOnAll(site));
  const alone = await createSite();
  await deploy(alone.settings());
  expect(await schemaOf(site)).toBe(await schemaOf(alone));
});

it('where an administrator has to prepare the databases first, too', async () => {
  const site = await createSite();
  const { adminUser, adminPassword } = site.cluster;
  const admin = await adminClient('postgres', site.cluster);
  await admin.query(`REVOKE USAGE ON SCHEMA cron FROM ${site.cronRole.name}`);
  await admin.end();
  const reports = await upOnAll(site, {
    PCACHE_CRON_TRANSPORT: 'link',
    PG_ADMIN_USER: adminUser,
    PG_ADMIN_PASSWORD: adminPassword,
  });
  await expectOneDeployment(reports);
  const work = await connectAs(site.settings().work);
  expect(await extensions(work)).toContain('dblink');
});

async function extensions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query('SELECT extname FROM pg_extension');
  return rows.map(({ extname }) => extname);
}
