import { visibleSetting } from '../database/visible-setting.js';
import type { Context } from './context.js';

/** Undefined if there is no such setting, or none of our roles may see it. */
export async function serverSetting(
  { work, cron, admin }: Pick<Context, 'work' | 'cron' | 'admin'>,
  name: string,
): Promise<string | undefined> {
  for (const reached of [cron, work, admin]) {
    const setting = reached?.client && (await visibleSetting(reached.client, name));
    if (setting !== undefined) return setting;
  }
  return undefined;
}
