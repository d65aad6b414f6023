import { connectAs } from '../../harness/deployment.js';
import type { Theme } from './attempt.js';
import type { Place } from './place.js';
import { exists, identifier, inCron, inWork, literal } from './sql.js';

const linkOf = ({ settings }: Place) => `${settings.schema}.cron_link`;

/** Reading what gives access. */
export const secrets: Theme = {
  name: 'Read or use a secret',
  attempts: [
    {
      what: 'read the link’s password',
      statements: () => [],
      loot: ({ place }) =>
        exists(`${linkOf(place)} WHERE password = ${literal(place.roles.cron.password)}`),
      // It is with the link that its changes reach pg_cron.
      leave: { migrator: 'trusted' },
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
          ${attacker === 'control' ? `UNION ALL SELECT FROM ${linkOf(place)} WHERE strpos(password, ${password}) > 0` : ''})`;
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
        `SELECT ${place.settings.schema}.query_cron_link('SELECT to_jsonb(current_user)')
                = to_jsonb(${literal(place.roles.cron.name)}::text)`,
      leave: { migrator: 'trusted' },
    },
    {
      what: 'have the password written to a connection string',
      statements: () => [],
      loot: ({ place }) =>
        `SELECT strpos(${place.settings.schema}.cron_link_connection(), ${literal(place.roles.cron.password)}) > 0`,
      leave: { migrator: 'trusted' },
    },
    {
      what: 'lead the link to a server of its own',
      statements: ({ place }) => [`UPDATE ${linkOf(place)} SET host = 'evil.invalid'`],
      look: ({ place }) => exists(`${linkOf(place)} WHERE host = 'evil.invalid'`),
      restore: inWork(
        ({ place }) => `UPDATE ${linkOf(place)} SET host = ${literal(place.settings.link.host)}`,
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
