import type pg from 'pg';
import type { Settings } from '../../src/settings/settings.js';
import { tablesOf } from './deployment.js';

/** While `use` runs, PostgreSQL refuses to drop the fragment queue: what drops it fails when most is done. */
export async function whileNoQueueIsDropped(
  admin: pg.Client,
  settings: Settings,
  use: () => Promise<void>,
): Promise<void> {
  const queue = tablesOf(settings).fragmentQueue.replaceAll('"', '');
  await admin.query(`
    CREATE FUNCTION refuse_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_identity = '${queue}') THEN
        RAISE 'not this one';
      END IF;
    END $$;
    CREATE EVENT TRIGGER refuse_drop ON sql_drop EXECUTE FUNCTION refuse_drop()`);
  try {
    await use();
  } finally {
    await admin.query('DROP EVENT TRIGGER refuse_drop; DROP FUNCTION refuse_drop()');
  }
}

/** What of the processors and of pg_cron's jobs a failed command must leave as it was. */
export async function whatRuns(admin: pg.Client, cron: pg.Client, settings: Settings) {
  const processors = await admin.query(
    `SELECT job_name, enabled, max_parallel_jobs FROM ${tablesOf(settings).processorConfig}`,
  );
  const jobs = await cron.query(
    'SELECT jobname, schedule, command, active FROM cron.job WHERE username = $1 ORDER BY 1',
    [settings.cron.user],
  );
  return { processors: processors.rows, jobs: jobs.rows };
}
