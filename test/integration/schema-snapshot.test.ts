import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { splitDump } from '../../tools/schema/split-dump.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { createSite, deploy, type TestSite } from '../harness/deployment.js';

const DIRECTORY = 'schema';

// A pull request shows a change three times: as the source of a routine, as a step in the migrations, and as a
// result in schema/. After changing the migrations, run: npm run schema
it('the committed schema is what the migrations make of an empty database', async () => {
  const site = await createSite();
  const settings = site.settings();
  await deploy(settings);
  const made = new Map([
    ...(await filesOf(site, 'work', site.database, ['--exclude-table=public.pois'])),
    ...(await filesOf(site, 'cron', 'postgres', [`--schema=${settings.cronSchema}`])),
  ]);
  if (process.env.PCACHE_WRITE_SCHEMA === '1') await write(made);
  expect(committed()).toEqual(Object.fromEntries([...made].sort()));
});

async function filesOf(
  site: TestSite,
  folder: string,
  database: string,
  options: readonly string[],
): Promise<[file: string, text: string][]> {
  const dump = await runServerTool(site.cluster, 'pg_dump', [
    '--schema-only',
    '--no-owner',
    '--username=postgres',
    `--dbname=${database}`,
    ...options,
  ]);
  const files = splitDump(withPlainNames(site, dump));
  // Its grants are those that the test gave its roles at the start.
  files.delete('schemas/public.sql');
  return [...files].map(([file, text]) => [`${folder}/${file}`, text]);
}

function withPlainNames(site: TestSite, dump: string): string {
  return (
    dump
      .replaceAll(site.migrator.name, 'migrator')
      .replaceAll(site.cronRole.name, 'cron_role')
      .replaceAll(site.app.name, 'client_role')
      .replaceAll(site.database, 'work_database')
      // Before PostgreSQL 16 a view of one relation shows its columns qualified.
      .replace(/^( {4}| SELECT )(?:[a-z_]+_rows|failures_within|attempt|release)\./gm, '$1')
      .replace(/^( {2}WHERE \(| {2}ORDER BY )release\./gm, '$1')
  );
}

function committed(): Record<string, string> {
  const files = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(join(DIRECTORY, file), 'utf8')]),
  );
}

async function write(files: ReadonlyMap<string, string>): Promise<void> {
  rmSync(DIRECTORY, { recursive: true, force: true });
  for (const [file, text] of files) {
    await mkdir(join(DIRECTORY, dirname(file)), { recursive: true });
    await writeFile(join(DIRECTORY, file), text);
  }
}
