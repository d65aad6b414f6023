import { readServerIdentity } from '../../deployment/server-identity.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { address, variable } from '../wording.js';

export const sameCluster: DoctorCheck = {
  id: 'same-cluster',
  title: 'one server for both databases',
  needs: ['work-connection', 'cron-connection'],
  run: async ({ settings, work, cron }) => {
    const one = await readServerIdentity(clientOf(work));
    const other = await readServerIdentity(clientOf(cron));
    if (one.started === other.started && one.system === other.system) {
      return ok('yes');
    }
    const replica = one.system !== undefined && one.system === other.system;
    const host = variable(settings.cron, 'host', 'PG_CRON_HOST');
    const port = variable(settings.cron, 'port', 'PG_CRON_PORT');
    return failed(
      `the work database is on ${address(settings.work)} (system identifier ${one.system ?? 'unknown'}), ` +
        `pg_cron on ${address(settings.cron)} (system identifier ${other.system ?? 'unknown'}): ` +
        `${replica ? 'two servers of one replicated cluster' : 'two different servers'}. ` +
        'pg_cron (schedule_in_database) reaches only databases of the server it runs on',
      text(
        'user',
        `Set ${host} and ${port} to the server of the work database, ${address(settings.work)}; pg_cron must run there.`,
      ),
    );
  },
};
