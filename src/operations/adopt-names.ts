import type { ClientBase } from 'pg';
import { readMoveOf } from '../deployment/cron-move.js';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Moved } from '../deployment/whereabouts.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { defaultJobName } from '../processor/default-job-name.js';
import type { Settings } from '../settings/settings.js';
import type { AdoptStep } from './adopt-report.js';
import { holdForMove } from './mode/under-way.js';

export function namesStep({ work, cronSchema }: Settings, { origin }: Moved): AdoptStep {
  const from = origin.database === work.database ? '' : `, not "${origin.database}"`;
  return {
    database: work.database,
    what: `record that the deployment is in database "${work.database}"${from}, and its jobs in schema "${cronSchema}"; name the processors after it`,
  };
}

/** In one transaction: from then on the database is the one that was deployed, without any jobs yet. */
export async function adoptNames(
  work: ClientBase,
  settings: Settings,
  { origin }: Moved,
): Promise<void> {
  const { processorConfig } = deploymentTables(settings);
  const config = clientName(settings, processorConfig);
  await withOwnTables(work, settings, 'write', [processorConfig], async () => {
    const move = await readMoveOf(work, settings, origin);
    // Before the configuration changes, whose trigger would tell pg_cron over the old way.
    await work.query(
      `UPDATE ${ownName(settings, 'deployment')}
          SET work_database = current_database(), system_identifier = ${ownName(settings, 'system_identifier')}(),
              database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()),
              cron_schema = $1, transport = 'deploy', pg_cron_version = NULL, cron_database = NULL,
              cron_database_next = $2, cron_database_left = $3`,
      [settings.cronSchema, move?.to, move?.from],
    );
    await work.query(
      `UPDATE ${config} SET target_database = current_database()
        WHERE target_database <> current_database()`,
    );
    // Setup and the clients know it by this name, and would make a second one.
    await work.query(
      `UPDATE ${config} SET job_name = $2
        WHERE job_name = $1 AND NOT EXISTS (SELECT FROM ${config} AS other WHERE other.job_name = $2)`,
      [
        defaultJobName({ ...settings, work: { ...settings.work, database: origin.database } }),
        defaultJobName(settings),
      ],
    );
    await work.query(`SELECT ${ownName(settings, 'mark_synced')}('{"jobs": []}')`);
    if (move !== undefined) await holdForMove(work, settings, move);
  });
}
