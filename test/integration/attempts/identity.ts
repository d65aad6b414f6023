import type { Theme } from './attempt.js';
import { exists, inWork, literal } from './sql.js';

/** Becoming another role. */
export const identity: Theme = {
  name: 'Become another role',
  attempts: [
    {
      what: 'SET ROLE to the migrator',
      statements: ({ place }) => [`SET ROLE ${place.roles.migrator.name}`],
      loot: ({ place }) => `SELECT current_user = ${literal(place.roles.migrator.name)}`,
      leave: { migrator: 'its task' },
    },
    {
      what: 'SET ROLE to the cron role',
      statements: ({ place }) => [`SET ROLE ${place.roles.cron.name}`],
      loot: ({ place }) => `SELECT current_user = ${literal(place.roles.cron.name)}`,
      leave: { cron: 'its task' },
    },
    {
      what: 'SET ROLE to the client',
      statements: ({ place }) => [`SET ROLE ${place.roles.client.name}`],
      loot: ({ place }) => `SELECT current_user = ${literal(place.roles.client.name)}`,
      leave: { client: 'its task' },
    },
    {
      what: 'SET SESSION AUTHORIZATION to the migrator',
      statements: ({ place }) => [`SET SESSION AUTHORIZATION ${place.roles.migrator.name}`],
      loot: ({ place }) => `SELECT session_user = ${literal(place.roles.migrator.name)}`,
      leave: { migrator: 'its task' },
    },
    {
      what: 'grant itself the migrator',
      statements: ({ place, me }) => [`GRANT ${place.roles.migrator.name} TO ${me}`],
      look: ({ place, me }) =>
        exists(`pg_auth_members WHERE roleid = ${literal(place.roles.migrator.name)}::regrole
                  AND member = ${literal(me)}::regrole`),
      control: ({ place, me }) => [`GRANT ${place.roles.migrator.name} TO ${me}`],
      restore: inWork(({ place, me }) => `REVOKE ${place.roles.migrator.name} FROM ${me}`),
    },
    {
      what: 'grant itself the cron role',
      statements: ({ place, me }) => [`GRANT ${place.roles.cron.name} TO ${me}`],
      look: ({ place, me }) =>
        exists(`pg_auth_members WHERE roleid = ${literal(place.roles.cron.name)}::regrole
                  AND member = ${literal(me)}::regrole`),
      restore: inWork(({ place, me }) =>
        me === place.roles.cron.name ? 'SELECT' : `REVOKE ${place.roles.cron.name} FROM ${me}`,
      ),
    },
    {
      what: "change the migrator's password",
      statements: ({ place }) => [
        // The same as before: a success must not end the test.
        `ALTER ROLE ${place.roles.migrator.name} PASSWORD ${literal(place.roles.migrator.password)} VALID UNTIL '2999-01-01'`,
      ],
      look: ({ place }) =>
        exists(
          `pg_roles WHERE rolname = ${literal(place.roles.migrator.name)} AND rolvaliduntil = '2999-01-01'`,
        ),
      restore: inWork(
        ({ place }) => `ALTER ROLE ${place.roles.migrator.name} VALID UNTIL 'infinity'`,
      ),
    },
    {
      what: 'change a setting of the cron role for its next sessions',
      statements: ({ place }) => [
        `ALTER ROLE ${place.roles.cron.name} SET search_path = public, pg_catalog`,
      ],
      look: ({ place }) =>
        exists(`pg_db_role_setting WHERE setrole = ${literal(place.roles.cron.name)}::regrole`),
      restore: inWork(({ place }) => `ALTER ROLE ${place.roles.cron.name} RESET ALL`),
      leave: { cron: 'its task' },
    },
    {
      what: 'change a setting of the work database for all next sessions',
      statements: ({ place }) => [
        `ALTER DATABASE ${place.site.database} SET search_path = public, pg_catalog`,
      ],
      look: ({ place }) =>
        exists(`pg_db_role_setting WHERE setrole = 0 AND setdatabase =
                  (SELECT oid FROM pg_database WHERE datname = ${literal(place.site.database)})`),
      restore: inWork(({ place }) => `ALTER DATABASE ${place.site.database} RESET ALL`),
      // In the tests it owns the database, as the guide has it.
      leave: { migrator: 'its task' },
    },
    {
      what: 'become superuser',
      statements: ({ me }) => [`ALTER ROLE ${me} SUPERUSER`],
      look: ({ me }) => exists(`pg_roles WHERE rolname = ${literal(me)} AND rolsuper`),
      restore: inWork(({ me, attacker }) =>
        attacker === 'control' ? 'SELECT' : `ALTER ROLE ${me} NOSUPERUSER`,
      ),
    },
  ],
};
