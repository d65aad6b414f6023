import { schedulerDatabase } from '../jobs/why-none-starts.js';
import type { Context } from './context.js';
import { serverSetting } from './server-setting.js';

/**
 * The database whose jobs pg_cron starts, by cron.database_name as the server was started with it. Undefined where
 * none of our roles may see that and no scheduler is running.
 */
export async function servedDatabase(
  context: Pick<Context, 'work' | 'cron' | 'admin'>,
): Promise<string | undefined> {
  const setting = await serverSetting(context, 'cron.database_name');
  if (setting !== undefined) return setting;
  const client = context.cron?.client ?? context.work.client;
  // The setting may be hidden; the database that the scheduler is connected to never is.
  return client && schedulerDatabase(client);
}
