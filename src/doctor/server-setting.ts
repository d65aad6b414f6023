import type { Context } from './context.js';

/** Undefined if there is no such setting, or none of our roles may see it. */
export async function serverSetting(
  { work, cron, admin }: Pick<Context, 'work' | 'cron' | 'admin'>,
  name: string,
): Promise<string | undefined> {
  for (const reached of [cron, work, admin]) {
    // Unlike SHOW, the view leaves out what a role may not see instead of failing.
    const answer = await reached?.client?.query<{ setting: string }>(
      'SELECT setting FROM pg_settings WHERE name = $1',
      [name],
    );
    if (answer?.rows[0]) return answer.rows[0].setting;
  }
  return undefined;
}
