import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** Creates or renews the link to the pg_cron database, and checks that it works. */
export async function establishLink(work: ClientBase, settings: Settings): Promise<void> {
  // All values are parameters: the password must not appear in a statement that the server shows or logs.
  await work.query(`SELECT ${ownName(settings, 'set_cron_link')}($1, $2, $3, $4, $5)`, [
    settings.link.host,
    settings.link.port ?? null,
    settings.cron.database,
    settings.cron.user,
    settings.cron.password,
  ]);
  await work.query(`SELECT ${ownName(settings, 'check_cron_link')}()`);
}

export async function dropLink(work: ClientBase, settings: Settings): Promise<void> {
  await work.query(`SELECT ${ownName(settings, 'drop_cron_link')}()`);
}
