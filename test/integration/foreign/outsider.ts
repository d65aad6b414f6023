import type pg from 'pg';
import { runDoctor } from '../../../src/doctor/run-doctor.js';
import type { Settings } from '../../../src/settings/settings.js';
import { adminClient, createRole } from '../../harness/databases.js';
import { connectAs, type SiteOptions } from '../../harness/deployment.js';
import { type ManualSite, startManualSite } from '../../harness/manual-site.js';

/** A deployment in whose clients' schema somebody may CREATE who has nothing to do with it. */
export interface OutsiderSite extends ManualSite {
  readonly admin: pg.Client;
  readonly outsider: pg.Client;
  readonly outsiderName: string;
  /** The roles, besides the outsider, as which its code has run since the last call. */
  readonly victims: () => Promise<string[]>;
}

export async function startOutsiderSite(
  environment: NodeJS.ProcessEnv = {},
  options: SiteOptions = {},
): Promise<OutsiderSite> {
  return withOutsider(await startManualSite(environment, options));
}

async function withOutsider(manual: ManualSite): Promise<OutsiderSite> {
  const { site, settings } = manual;
  const admin = await adminClient(site.database, site.cluster);
  const { name, password } = await createRole('outsider', site.cluster);
  await admin.query(`
    GRANT USAGE, CREATE ON SCHEMA public TO ${name};
    GRANT CREATE ON DATABASE ${site.database} TO ${name};
    CREATE EXTENSION IF NOT EXISTS postgres_fdw;
    GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ${name};
    UPDATE partitioncache.settings SET retry_backoff_seconds = 0`);
  const outsider = await connectAs({ ...settings.work, user: name, password });
  const roles = [...new Set([settings.work.user, settings.cron.user, settings.client.user, name])];
  await outsider.query(spies(roles));
  return {
    ...manual,
    admin,
    outsider,
    outsiderName: name,
    victims: async () => {
      const { rows } = await admin.query<{ role: string }>(
        `SELECT replace(sequencename, 'spied_', '') AS role FROM pg_sequences
          WHERE sequencename LIKE 'spied\\_%' AND last_value IS NOT NULL`,
      );
      for (const role of roles) await admin.query(`ALTER SEQUENCE public."spied_${role}" RESTART`);
      return rows.map(({ role }) => role).filter((role) => role !== name);
    },
  };
}

// A sequence each, because it keeps count even where the transaction is rolled back. Said to be immutable, since a
// generated column or an index takes nothing else.
function spies(roles: readonly string[]): string {
  return `
    ${roles.map((role) => `CREATE SEQUENCE public."spied_${role}"; GRANT USAGE ON SEQUENCE public."spied_${role}" TO PUBLIC;`).join('\n')}
    CREATE FUNCTION public.spy() RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM nextval(pg_catalog.format('public.%I', 'spied_' || current_user));
        RETURN true;
      END $$;
    CREATE FUNCTION public.spy_text(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN
        PERFORM public.spy();
        RETURN $1;
      END $$;
    CREATE FUNCTION public.spy_row() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM public.spy();
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
      END $$;
    CREATE DOMAIN public.spy_domain AS text CHECK (public.spy_text(VALUE) IS NOT NULL);
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
    CREATE TABLE public.parent (query_hash text);
    CREATE TABLE public.referenced (query_hash text PRIMARY KEY)`;
}

export async function foreignTables(settings: Settings) {
  const { checks } = await runDoctor(settings, { streams: ['work'] });
  const check = checks.find(({ id }) => id === 'foreign-tables');
  return { status: check?.status, detail: check?.detail, remedy: check?.remedy?.lines.join('\n') };
}
