import { escapeIdentifier } from 'pg';
import type { FaultySite } from './fault-injection.js';

/** As createSite made it: neither database has anything that was deployed, whoever did it and however far that came. */
export async function wipeSite({ settings, site, admin }: FaultySite): Promise<void> {
  await admin.cron.query('SELECT cron.unschedule(jobid) FROM cron.job WHERE username = $1', [
    site.cronRole.name,
  ]);
  await admin.cron.query(`DROP SCHEMA IF EXISTS ${escapeIdentifier(settings.cronSchema)} CASCADE`);
  // PartitionCache's own tool has its configuration there, in the schema that all sites share.
  const owners = `IN ('${site.cronRole.name}'::regrole, '${site.migrator.name}'::regrole)`;
  await admin.cron.query(
    dropAll(`
      SELECT format('DROP TABLE IF EXISTS public.%I CASCADE', relname) FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relowner ${owners}
         AND relkind = 'r'
      UNION ALL
      SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace AND proowner ${owners}`),
  );
  await admin.work.query('DROP EXTENSION IF EXISTS intarray CASCADE');
  await admin.work.query(
    dropAll(`
      SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
       WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
      UNION ALL
      SELECT format('DROP TABLE IF EXISTS public.%I CASCADE', relname) FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'pois'
      UNION ALL
      SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')`),
  );
}

/** `lines` is a query for statements, answered before the first of them runs. */
function dropAll(lines: string): string {
  return `DO $$
    DECLARE line text;
    BEGIN
      FOREACH line IN ARRAY ARRAY(${lines}) LOOP EXECUTE line; END LOOP;
    END $$`;
}
