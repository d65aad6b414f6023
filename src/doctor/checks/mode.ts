import type { Settings } from '../../settings/settings.js';
import { ok } from '../check-result.js';
import type { DoctorCheck } from '../context.js';

export const mode: DoctorCheck = {
  id: 'mode',
  title: 'mode and transport',
  needs: [],
  run: ({ settings }) => ok(describe(settings)),
};

function describe({ transport, work, cron }: Settings): string {
  const databases = `cross: pg_cron in database "${cron.database}" starts jobs in database "${work.database}"`;
  switch (transport) {
    case 'direct':
      return `single: pg_cron is in the work database "${work.database}" itself`;
    case 'link':
      return `${databases}; transport link: a changed configuration reaches pg_cron at COMMIT, over dblink`;
    case 'deploy':
      return `${databases}; transport deploy: a changed configuration reaches pg_cron through pcache-migrate sync`;
  }
}
