import type { ClientBase } from 'pg';
import { copyRow } from '../database/copy-row.js';
import { inTransaction } from '../database/in-transaction.js';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** Creates or renews the link to the pg_cron database; one that does not work is not kept. */
export async function establishLink(work: ClientBase, settings: Settings): Promise<void> {
  const { link, cron } = settings;
  await inTransaction(work, async () => {
    await dropLink(work, settings);
    await copyRow(work, ownName(settings, 'cron_link'), [
      link.host,
      link.port?.toString(),
      cron.database,
      cron.user,
      cron.password,
    ]);
    await work.query(`SELECT ${ownName(settings, 'check_cron_link')}()`);
  });
}

export async function dropLink(work: ClientBase, settings: Settings): Promise<void> {
  await work.query(`SELECT ${ownName(settings, 'drop_cron_link')}()`);
}
