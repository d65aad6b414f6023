import type pg from 'pg';
import { defaultJobName } from '../../../src/processor/default-job-name.js';
import { type ManualRunReport, runProcessor } from '../../../src/processor/run-processor.js';
import type { ConnectionSettings, Settings } from '../../../src/settings/settings.js';
import { adminClient, createRole, type Role } from '../../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  type Fragment,
  setUp,
  type TestSite,
  tablesOf,
} from '../../harness/deployment.js';
import type { Attacker } from './attempt.js';

/** A deployment with every neighbour that it may have. */
export interface Place {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly tables: ReturnType<typeof tablesOf>;
  readonly job: string;
  readonly roles: Readonly<Record<Attacker, Role>>;
  /** The administrator, in each of the two databases. */
  readonly work: pg.Client;
  readonly cron: pg.Client;
  /** Of the deployment in the same work database. */
  readonly tenant: Settings;
}

// Started by pg_cron so seldom that its runs do not meet those of the tests.
const SELDOM = 86_400;

export async function openPlace(): Promise<Place> {
  const site = await createSite({ link: true });
  const { fragmentRole } = site;
  if (fragmentRole === undefined) throw new Error('the site has no fragment role');
  const settings = site.settings();
  const neighbour = await createSite({ databasePrefix: 'neighbour' });
  const tenantSite = await createSite({ database: site.database });
  const work = await adminClient(site.database);
  const cron = await adminClient('postgres');
  // A second migrator in one database needs a schema for its clients of its own.
  await work.query(`
    CREATE SCHEMA tenant_clients AUTHORIZATION ${tenantSite.migrator.name};
    GRANT USAGE ON SCHEMA tenant_clients
      TO ${[tenantSite.cronRole, tenantSite.app].map(({ name }) => name)}, ${tenantSite.fragmentRole};
    REVOKE CREATE ON SCHEMA public FROM ${tenantSite.migrator.name}, ${tenantSite.app.name};`);
  const tenant = tenantSite.settings({
    PCACHE_SCHEMA: 'tenant',
    PCACHE_CLIENT_SCHEMA: 'tenant_clients',
    PG_QUEUE_TABLE_PREFIX: 'tenant_queue',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'tenant_cache',
  });
  for (const deployed of [settings, neighbour.settings(), tenant]) {
    await setUp(deployed, { enable: true, parallel: 2, frequencySeconds: SELDOM });
  }
  const outsider = await createRole('outsider');
  const anybody = await createRole('anybody');
  const control = await createRole('control');
  await work.query(`
    GRANT USAGE, CREATE ON SCHEMA public TO ${outsider.name};
    ALTER ROLE ${control.name} SUPERUSER;
    CREATE TABLE public.witness (who name DEFAULT current_user);
    CREATE FUNCTION public.tell_witness() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO public.witness DEFAULT VALUES; END $$;
    CREATE FUNCTION public.attempt(statements text[], loot text) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
      v_statement text;
      v_got boolean;
    BEGIN
      FOREACH v_statement IN ARRAY statements LOOP
        EXECUTE v_statement;
      END LOOP;
      IF loot IS NOT NULL THEN
        EXECUTE loot INTO v_got;
      END IF;
      RETURN coalesce(v_got, false)::integer;
    END $$;
    GRANT SELECT, INSERT ON public.witness TO PUBLIC;`);
  return {
    site,
    settings,
    tables: tablesOf(settings),
    job: defaultJobName(settings),
    roles: {
      migrator: site.migrator,
      cron: site.cronRole,
      client: site.app,
      // Nobody can log in as it.
      fragment: { name: fragmentRole, password: '' },
      outsider,
      neighbourMigrator: neighbour.migrator,
      neighbourCron: neighbour.cronRole,
      tenantMigrator: tenantSite.migrator,
      tenantCron: tenantSite.cronRole,
      anybody,
      control,
    },
    work,
    cron,
    tenant,
  };
}

/** Removes what only this folder makes; the sites remove themselves. */
export async function closePlace({ work, cron, roles }: Place): Promise<void> {
  const own = [roles.outsider, roles.anybody, roles.control].map(({ name }) => name).join(', ');
  await work.query(`DROP OWNED BY ${own} CASCADE`);
  await cron.query(`DROP OWNED BY ${own} CASCADE`);
  await cron.query(`DROP ROLE ${own}`);
  await work.end();
  await cron.end();
}

/** How someone connects; a session of its own for each attempt. */
export function connectionOf(
  { settings, roles }: Place,
  attacker: Attacker,
  database: 'work' | 'cron',
): ConnectionSettings {
  const { name: user, password } = roles[attacker];
  return { ...settings[database], user, password };
}

/** The client enqueues a fragment, and the cron role works on the queue. */
export async function processFragment(
  { settings, job }: Place,
  fragment: Fragment,
  cronRole: pg.Client,
): Promise<ManualRunReport> {
  const client = await connectAs(settings.client);
  await enqueue(client, settings, [fragment]);
  await client.end();
  return runProcessor(cronRole, settings, job, 10);
}

export function connectCronRole({ settings }: Place): Promise<pg.Client> {
  return connectAs({ ...settings.cron, database: settings.work.database });
}
