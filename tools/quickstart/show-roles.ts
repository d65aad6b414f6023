import { table } from '../../src/cli/output/table.js';
import { indented, yesNo } from '../../src/cli/output/text.js';
import { withClient } from '../../src/database/connect.js';
import { asAdministrator } from '../../src/settings/settings.js';
import type { QuickstartSettings } from './environment.js';
import type { Output } from './output.js';

interface RoleRow {
  rolname: string;
  rolsuper: boolean;
  jobs: number;
  runs: number;
}

/** Shows who is a superuser, and whose jobs pg_cron ran. Only the administrator sees all jobs. */
export async function showRoles(
  settings: QuickstartSettings,
  { say, style }: Output,
): Promise<void> {
  const purposes: Record<string, string> = {
    [settings.work.user]: 'migrator: owns what is deployed',
    [settings.cron.user]: 'cron role: schedules the jobs, and they run as it',
    [settings.fragmentRole]: 'fragment role: reads tables for fragments; cannot log in',
    [settings.client.user]: 'application: queues fragments, reads the cache',
    [settings.admin.user]: 'administrator: only for extensions and grants',
  };
  await withClient(asAdministrator(settings.cron, settings.admin), async (client) => {
    const { rows } = await client.query<RoleRow>(
      `SELECT rolname, rolsuper,
              (SELECT count(*)::integer FROM cron.job WHERE username = rolname) AS jobs,
              (SELECT count(*)::integer FROM cron.job_run_details WHERE username = rolname) AS runs
         FROM pg_roles WHERE rolname = ANY ($1) ORDER BY rolsuper, rolname`,
      [Object.keys(purposes)],
    );
    const shown = table(
      style,
      ['role', 'superuser', 'jobs', 'runs', 'purpose'],
      rows.map(({ rolname, rolsuper, jobs, runs }) => [
        rolname,
        yesNo(rolsuper),
        jobs,
        runs,
        purposes[rolname] ?? '',
      ]),
    );
    say(indented(shown));
  });
}
