import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { cronGrants } from '../harness/databases.js';
import { connectAs, enqueue } from '../harness/deployment.js';
import { makeForeignSetup } from '../harness/foreign-setup.js';
import {
  dropDatabase,
  dumpDatabase,
  renameDatabase,
  restoreDatabase,
} from '../harness/moved-databases.js';
import { CRON, clear, createStage, type Stage, WORK } from '../harness/stage.js';
import { type Transcript, transcriptOn } from './procedures/transcript.js';

// docs/procedures.md shows each procedure as it was run. To write it again: npm run procedures

describe.skipIf(inject('runtime').kind === 'local')('docs/procedures.md', () => {
  let stage: Stage;
  let at: Transcript;

  beforeAll(async () => {
    stage = await createStage();
    return () => stage.remove();
  });

  /** A deployment at work, with a fragment in the queue. */
  async function begin(): Promise<void> {
    at = transcriptOn(stage);
    await clear(stage);
    await stage.asAdmin('postgres', `GRANT pg_read_all_settings TO ${stage.site.cronRole.name}`);
    await deploy();
  }

  async function deploy(): Promise<void> {
    await stage.mustRun('setup --enable-after-setup --frequency 3600 --parallel 2');
    const app = await connectAs(stage.settings().client);
    await enqueue(app, stage.settings(), [
      { hash: 'h', key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
    ]);
    await app.end();
  }

  async function queued(): Promise<number> {
    const { work, queuePrefix } = stage.settings();
    const [{ count }] = await stage.asAdmin(
      work.database,
      `SELECT count(*)::int FROM ${queuePrefix}_query_fragment_queue`,
    );
    return count;
  }

  it('stops, and goes on', async () => {
    await begin();
    await at.type('pause --now --reason incident-4711');
    await at.type('resume');
    at.end('Stop, and go on');
  });

  it('rolls back, and goes forward', async () => {
    await begin();
    await at.type('down');
    await at.type('up');
    at.end('Roll back, and go forward again');
    expect(await queued()).toBe(1);
  });

  it('starts over with the jobs', async () => {
    await begin();
    await at.type('down --stream cron --all');
    await at.type('up');
    at.end('Start over with the jobs');
  });

  it('goes from single mode to cross mode, and back', async () => {
    at = transcriptOn(stage);
    await clear(stage);
    await stage.asAdmin('postgres', `ALTER SYSTEM SET cron.database_name = '${WORK}'`);
    await stage.cluster.restart();
    const { cronRole } = stage.site;
    await stage.asAdmin(WORK, 'CREATE EXTENSION pg_cron', ...cronGrants(cronRole.name, WORK));
    stage.env.PG_CRON_DATABASE = WORK;
    await deploy();

    at.edit('PG_CRON_DATABASE', CRON);
    const stop = await at.type('mode cross --yes', 3);
    await at.obey(stop);
    await at.type('mode cross');
    await at.type('verify');
    at.end('From single mode to cross mode');
    expect(await queued()).toBe(1);

    at = transcriptOn(stage);
    at.edit('PG_CRON_DATABASE', WORK);
    await at.obey(await at.type('mode single --yes', 3));
    await at.type('mode single');
    await at.type('verify');
    at.end('Back to single mode');
    expect(await queued()).toBe(1);
    await stage.asAdmin('postgres', `ALTER SYSTEM SET cron.database_name = '${CRON}'`);
    await stage.cluster.restart();
  });

  it('follows a renamed database', async () => {
    await begin();
    await renameDatabase(stage.cluster, WORK, `${WORK}_eu`);
    at.shell(`psql -d postgres -c 'ALTER DATABASE ${WORK} RENAME TO ${WORK}_eu'`);
    at.edit('DB_NAME', `${WORK}_eu`);
    await at.type('status', 3);
    await at.type('adopt --yes');
    await at.type('verify');
    at.end('A work database that was renamed');
  });

  it('restores a backup', async () => {
    await begin();
    const dump = await dumpDatabase(stage.cluster, WORK);
    at.shell(`pg_dump -Fc -f ${WORK}.dump ${WORK}`);
    await dropDatabase(stage.cluster, WORK);
    await restoreDatabase(stage.cluster, WORK, dump, { owner: stage.site.migrator });
    at.shell(`createdb -O partitioncache ${WORK} && pg_restore -d ${WORK} ${WORK}.dump`);
    await at.type('adopt --yes');
    await at.type('verify');
    at.end('A work database that was restored from a backup');
    expect(await queued()).toBe(1);
  });

  it('takes the settings to another database', async () => {
    await begin();
    const folder = await mkdtemp(join(tmpdir(), 'pcache-procedures-'));
    const file = join(folder, 'settings.json');
    await writeFile(file, (await stage.mustRun('export')).stdout);
    at.shell(`npx pcache-migrate export > ${file}`);
    await stage.asAdmin(
      'postgres',
      `CREATE DATABASE ${WORK}_new OWNER ${stage.site.migrator.name}`,
    );
    await stage.asAdmin(
      `${WORK}_new`,
      `GRANT USAGE, CREATE ON SCHEMA public TO ${stage.site.migrator.name}, ${stage.site.app.name}`,
    );
    at.shell(`createdb -O partitioncache ${WORK}_new`);
    at.edit('DB_NAME', `${WORK}_new`);
    await at.type('up');
    await at.type(`import ${file}`);
    await rm(folder, { recursive: true });
    at.end('The settings alone, to another database');
  });

  it("takes over a set-up of PartitionCache's own tool", async () => {
    at = transcriptOn(stage);
    await clear(stage);
    const { migrator, cronRole } = stage.site;
    await makeForeignSetup(stage.cluster, stage.settings(), {
      owner: migrator.name,
      jobsOf: cronRole.name,
      copyOwner: cronRole.name,
      parallel: 2,
      schedule: '0 0 1 1 *',
    });
    await at.type('adopt --dry-run', 3);
    await at.type('adopt --yes');
    await at.type('verify');
    at.end("A set-up of PartitionCache's own tool");
  });

  it('removes what a dropped database left', async () => {
    await begin();
    await dropDatabase(stage.cluster, WORK);
    at.shell(`dropdb ${WORK}`);
    await at.type('prune --yes');
    at.end('What a dropped work database left');
  });
});
