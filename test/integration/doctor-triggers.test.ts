import { expect, it } from 'vitest';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, deploy } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';

async function triggerCheck(settings: Settings) {
  const { checks } = await runDoctor(settings, { streams: ['work'] });
  return checks.find(({ id }) => id === 'own-triggers');
}

it.each(['postgresql_array', 'postgresql_bit'])(
  'triggers dropped with recreated tables are reported, and the lines restore them exactly: %s',
  async (backend) => {
    const site = await createSite();
    const settings = site.settings({
      CACHE_BACKEND: backend,
      PG_BIT_CACHE_TABLE_PREFIX: 'my_cache',
    });
    expect((await triggerCheck(settings))?.status).toBe('ok');
    await deploy(settings, { streams: ['work'] });
    expect((await triggerCheck(settings))?.status).toBe('ok');
    const deployed = await dumpSchema(site.cluster, site.database);

    const work = await connectAs(settings.work);
    const { rows } = await work.query(
      "SELECT tgname, tgrelid::regclass::text AS table FROM pg_trigger WHERE tgname LIKE 'pcache_%'",
    );
    expect(rows).toHaveLength(backend === 'postgresql_bit' ? 5 : 4);
    for (const { tgname, table } of rows) await work.query(`DROP TRIGGER ${tgname} ON ${table}`);

    const missed = await triggerCheck(settings);
    expect(missed).toMatchObject({ status: 'warning' });
    expect(missed?.detail).toContain('pcache_sync_cron on partitioncache_queue_processor_config');
    for (const line of missed?.remedy?.lines ?? []) await work.query(line);

    expect((await triggerCheck(settings))?.status).toBe('ok');
    expect(await dumpSchema(site.cluster, site.database)).toBe(deployed);
  },
);
