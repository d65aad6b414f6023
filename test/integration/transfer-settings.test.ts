import { expect, it } from 'vitest';
import { exportSettings, importSettings } from '../../src/operations/transfer-settings.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { addProcessor } from '../../src/processor/processor-config.js';
import { parseSettingsDocument } from '../../src/processor/settings-document.js';
import { startSiteWithoutJobs } from '../harness/manual-site.js';
import { cli } from '../unit/cli/fake-world.js';

const wait = { waitSeconds: 20, onWait: () => {} };

it('takes all settings to a database with other names, or none', async () => {
  const from = await startSiteWithoutJobs();
  await addProcessor(from.work, from.settings, 'nightly', {
    enabled: true,
    parallel: 2,
    frequencySeconds: 4200,
    timeoutSeconds: 7,
    resultLimit: 10,
  });
  await from.work.query('UPDATE partitioncache.settings SET max_slots = 7, log_retention_days = 2');
  const printed = await cli(['export'], { env: from.site.environment() });
  expect(printed.code).toBe(0);
  for (const { password } of [from.site.migrator, from.site.cronRole, from.site.app]) {
    expect(printed.stdout).not.toContain(password);
  }
  const document = parseSettingsDocument(printed.stdout);
  expect(document).toEqual(await exportSettings(from.settings));

  const to = await startSiteWithoutJobs({
    PG_QUEUE_TABLE_PREFIX: 'other_queue',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'other_cache',
  });
  const env = {
    ...to.site.environment(),
    PG_QUEUE_TABLE_PREFIX: 'other_queue',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'other_cache',
  };
  // Refused by the database only, after the first row was written.
  await to.work.query(
    `ALTER TABLE other_queue_processor_config ADD CONSTRAINT no_nights CHECK (job_name <> 'nightly')`,
  );
  await to.work.query(
    `UPDATE other_queue_processor_config SET timeout_seconds = 1 WHERE job_name = $1`,
    [defaultJobName(to.settings)],
  );
  const before = await exportSettings(to.settings);
  expect((await cli(['import'], { env, typed: printed.stdout })).code).toBe(1);
  expect(await exportSettings(to.settings)).toEqual(before);
  await to.work.query('ALTER TABLE other_queue_processor_config DROP CONSTRAINT no_nights');

  const imported = await cli(['import', '--json'], { env, typed: printed.stdout });
  expect(JSON.parse(imported.stdout)).toMatchObject({
    exitCode: 0,
    processors: [
      { name: 'nightly', change: 'created' },
      { name: defaultJobName(to.settings), change: 'changed' },
    ],
    settingsChanged: true,
  });
  const there = await exportSettings(to.settings);
  const nameless = (one: typeof there) => ({
    settings: one.settings,
    processors: one.processors.map((processor) => ({
      ...processor,
      name: processor.isDefault ? '' : processor.name,
    })),
  });
  expect(nameless(there)).toEqual(nameless(document));
  expect(await importSettings(to.settings, document, wait)).toMatchObject({
    processors: [{ change: 'unchanged' }, { change: 'unchanged' }],
    settingsChanged: false,
    jobs: [],
  });
});
