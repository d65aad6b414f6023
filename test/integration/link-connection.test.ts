import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, setUp, tablesOf } from '../harness/deployment.js';

// The trigger opens a connection as the cron role in the session of whoever changes the configuration.
describe('the connection of the link', () => {
  let app: pg.Client;
  let config: string;

  beforeAll(async () => {
    const site = await createSite({ link: true });
    const settings = site.settings();
    await setUp(settings, { enable: true, parallel: 2, frequencySeconds: 3600 });
    const admin = await adminClient(site.database);
    await admin.query(`GRANT CREATE ON SCHEMA public TO ${site.app.name}`);
    await admin.end();
    app = await connectAs(settings.client);
    config = tablesOf(settings).processorConfig;
  });

  it('never stays in that session, whenever the statement is cancelled', async () => {
    let cancelled = 0;
    for (let milliseconds = 1; milliseconds <= 60; milliseconds += 1) {
      await app.query('BEGIN');
      await app.query(`UPDATE ${config} SET max_parallel_jobs = 5 - max_parallel_jobs`);
      await app.query(`SET LOCAL statement_timeout = ${milliseconds}`);
      await app.query('SET CONSTRAINTS ALL IMMEDIATE').catch((error) => {
        expect(error.code).toBe('57014');
        cancelled += 1;
      });
      await rollBack(app);
      const { rows } = await app.query('SELECT dblink_get_connections() AS open');
      expect(rows, `cancelled after ${milliseconds} ms`).toEqual([{ open: null }]);
    }
    expect(cancelled).toBeGreaterThan(0);
  });
});

describe('a limit of connections that keeps the link from connecting', () => {
  it("is named with its own remedy, whether it is the role's or the database's", async () => {
    const cluster = await startOwnCluster();
    const root = await adminClient('postgres', cluster);
    await root.query('CREATE EXTENSION pg_cron');
    const site = await createSite({ cluster, link: true });
    const settings = site.settings();
    await setUp(settings, { enable: true, parallel: 2, frequencySeconds: 3600 });
    const client = await connectAs(settings.work);
    const hint = async () => {
      const { processorConfig } = tablesOf(settings);
      const error = await client
        .query(`UPDATE ${processorConfig} SET max_parallel_jobs = 5 - max_parallel_jobs`)
        .then(
          () => undefined,
          (error: pg.DatabaseError) => error,
        );
      return error?.hint;
    };
    expect(await hint()).toBeUndefined();
    for (const target of [`ROLE "${site.cronRole.name}"`, 'DATABASE "postgres"']) {
      const line = (limit: number) =>
        `ALTER ${target.replaceAll('"', '')} CONNECTION LIMIT ${limit};`;
      await root.query(line(0));
      const said = await hint();
      expect(said).toContain(`CONNECTION LIMIT 0 of ${target.toLowerCase()} is reached`);
      expect(said).toContain(line(-1));
      expect(said).toContain('Nothing of this transaction was kept.');
      expect(said).not.toContain('max_connections');
      await root.query(line(-1));
      expect(await hint()).toBeUndefined();
    }
    await root.query(`ALTER ROLE ${site.cronRole.name} PASSWORD 'another'`);
    expect(await hint()).toMatch(/^Run pcache-migrate doctor/);
    await root.end();
  });
});

// The limit holds for a ROLLBACK too, until an error or the end of the transaction takes it away.
async function rollBack(client: pg.Client): Promise<void> {
  await client.query('ROLLBACK').catch((error) => {
    expect(error.code).toBe('57014');
    return client.query('ROLLBACK');
  });
}
