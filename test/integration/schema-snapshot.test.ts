import { describe, expect, it } from 'vitest';
import { createSite, deploy } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';

const SCHEMA = '../../schema';

// A pull request shows a change of the schema twice: as a step in the migrations and as a result in schema/.
// After a change of the migrations: npm run schema
describe('the committed schema', () => {
  it('is what the migrations make of an empty database', async () => {
    const site = await createSite();
    const settings = site.settings();
    await deploy(settings);
    const named = (dump: string) =>
      dump
        .replaceAll(site.migrator.name, 'migrator')
        .replaceAll(site.cronRole.name, 'cron_role')
        .replaceAll(site.app.name, 'client_role')
        .replaceAll(site.database, 'work_database')
        // Before PostgreSQL 16 a view of one relation shows its columns qualified.
        .replace(/^( {4}| SELECT )(?:[a-z_]+_rows|failures_within)\./gm, '$1');
    const work = await dumpSchema(site.cluster, site.database, [
      '--no-owner',
      '--exclude-table=public.pois',
    ]);
    await expect(named(work)).toMatchFileSnapshot(`${SCHEMA}/work.sql`);
    const cron = await dumpSchema(site.cluster, 'postgres', [
      '--no-owner',
      `--schema=${settings.cronSchema}`,
    ]);
    await expect(named(cron)).toMatchFileSnapshot(`${SCHEMA}/cron.sql`);
  });
});
