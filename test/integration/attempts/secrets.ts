import { connectAs } from '../../harness/deployment.js';
import type { Theme } from './attempt.js';
import { exists, identifier, inCron, inWork, literal } from './sql.js';

const server = 'partitioncache_cron';

/** Reading what gives access. */
export const secrets: Theme = {
  name: 'Read or use a secret',
  attempts: [
    {
      what: 'read the link’s password in pg_user_mappings',
      statements: () => [],
      loot: () =>
        exists(
          `pg_user_mappings WHERE srvname = '${server}' AND umoptions::text LIKE '%password=%'`,
        ),
      // The mapping is its own: it is with the link that its changes reach pg_cron.
      leave: { migrator: 'trusted' },
    },
    {
      what: 'read the link’s password in pg_user_mapping',
      statements: () => [],
      loot: () => exists("pg_user_mapping WHERE umoptions::text LIKE '%password=%'"),
    },
    {
      what: 'find a password in sources, statements, settings or comments that it may read',
      statements: () => [],
      loot: ({ place, attacker }) => {
        const password = literal(place.roles.cron.password);
        return `SELECT EXISTS (
          SELECT FROM pg_proc WHERE strpos(prosrc, ${password}) > 0
          UNION ALL SELECT FROM pg_stat_activity WHERE strpos(query, ${password}) > 0 AND pid <> pg_backend_pid()
          UNION ALL SELECT FROM pg_settings WHERE strpos(setting, ${password}) > 0
          UNION ALL SELECT FROM pg_description WHERE strpos(description, ${password}) > 0
          UNION ALL SELECT FROM pg_foreign_server WHERE strpos(srvoptions::text, ${password}) > 0
          ${attacker === 'control' ? `UNION ALL SELECT FROM pg_user_mappings WHERE strpos(umoptions::text, ${password}) > 0` : ''})`;
      },
    },
    {
      what: 'read the hash of a password',
      statements: () => [],
      loot: () => exists('pg_authid WHERE rolpassword IS NOT NULL'),
    },
    {
      what: 'use the link to the pg_cron database',
      statements: () => [],
      loot: ({ place }) =>
        `SELECT who = ${literal(place.roles.cron.name)}
           FROM public.dblink('${server}', 'SELECT current_user') AS answer (who text)`,
      control: ({ place }) => [
        `CREATE USER MAPPING FOR CURRENT_USER SERVER ${server}
           OPTIONS (user ${literal(place.roles.cron.name)}, password ${literal(place.roles.cron.password)})`,
      ],
      restore: inWork(
        ({ place }) =>
          `DROP USER MAPPING IF EXISTS FOR ${place.roles.control.name} SERVER ${server}`,
      ),
      leave: { migrator: 'trusted' },
    },
    {
      what: 'make a user mapping of its own for the link',
      statements: () => [`CREATE USER MAPPING FOR CURRENT_USER SERVER ${server}`],
      look: ({ me, place }) =>
        // The migrator has one from the start.
        exists(`pg_user_mappings WHERE srvname = '${server}' AND usename = ${literal(me)}
                  AND usename <> ${literal(place.roles.migrator.name)}`),
      restore: inWork(({ me, place }) =>
        me === place.roles.migrator.name
          ? 'SELECT'
          : `DROP USER MAPPING IF EXISTS FOR ${me} SERVER ${server}`,
      ),
    },
    {
      what: 'lead the link to a server of its own',
      statements: () => [`ALTER SERVER ${server} OPTIONS (SET host 'evil.invalid')`],
      look: () => exists("pg_foreign_server WHERE srvoptions::text LIKE '%evil.invalid%'"),
      restore: inWork(
        ({ place }) =>
          `ALTER SERVER ${server} OPTIONS (SET host ${literal(place.settings.link.host)})`,
      ),
      leave: { migrator: 'trusted' },
    },
    {
      what: 'read a file of the server',
      statements: () => [],
      loot: () => "SELECT length(pg_read_file('PG_VERSION')) > 0",
    },
    {
      what: 'run a program on the server',
      statements: () => ["COPY (SELECT 1) TO PROGRAM 'cat > pcache_attempt'"],
      look: () => "SELECT (pg_stat_file('pcache_attempt', true)).size IS NOT NULL",
      restore: inWork(() => "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm -f pcache_attempt'"),
    },
    {
      what: 'read the statements of the cron role’s sessions',
      statements: () => [],
      prepare: async ({ place }) => {
        const session = await connectAs({ ...place.settings.cron, database: place.site.database });
        await session.query("SELECT 'a secret of the cron role'");
      },
      loot: () =>
        exists(
          "pg_stat_activity WHERE query LIKE '%a secret of the cron%' AND pid <> pg_backend_pid()",
        ),
      restore: inWork(
        () =>
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT ''a secret of the cron role'''",
      ),
      leave: { cron: 'its task' },
    },
    {
      what: 'read the jobs of the deployment in cron.job',
      in: 'cron',
      statements: () => [],
      loot: ({ place }) => exists(`cron.job WHERE username = ${literal(place.roles.cron.name)}`),
      leave: { cron: 'its task' },
    },
    {
      what: 'read the runs of its jobs in cron.job_run_details',
      in: 'cron',
      prepare: inCron(
        ({ place }) =>
          `INSERT INTO cron.job_run_details (runid, jobid, username, database, command, status, end_time)
             VALUES (-1, -1, ${literal(place.roles.cron.name)}, 'x', 'a secret', 'succeeded', now())`,
      ),
      statements: () => [],
      loot: () => exists('cron.job_run_details WHERE runid = -1'),
      restore: inCron(() => 'DELETE FROM cron.job_run_details WHERE runid = -1'),
      leave: { cron: 'its task' },
    },
    {
      what: 'read its jobs through its own functions',
      in: 'cron',
      statements: () => [],
      loot: ({ place }) => exists(`${identifier(place.settings.cronSchema)}.jobs`),
      // Whoever deploys may see what was scheduled; where pg_cron is in the work database, its trigger needs it.
      leave: { migrator: 'its task', cron: 'its task' },
    },
  ],
};
