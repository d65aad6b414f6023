import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterEach } from 'vitest';
import type { VerifyReport } from '../../../src/operations/verify.js';
import type { Settings } from '../../../src/settings/settings.js';
import { adminClient } from '../../harness/databases.js';
import { createSite, type SiteOptions, setUp, type TestSite } from '../../harness/deployment.js';
import { differing } from './report.js';

export const QUEUE = 'public.partitioncache_queue_query_fragment_queue';

/** What a test has to take back, last first. */
export const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** `problem kind identity` of all differences, in both databases. */
export const all = ({ databases }: Pick<VerifyReport, 'databases'>): string[] =>
  databases.flatMap(differing).sort();

export interface VerifiedSite {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly admin: pg.Client;
}

/** Deployed unless told otherwise, with one disabled processor; the caller ends the administrator's session. */
export async function verifiedSite(
  options: SiteOptions & { environment?: NodeJS.ProcessEnv; deployed?: boolean } = {},
): Promise<VerifiedSite> {
  const site = await createSite(options);
  const settings = site.settings(options.environment);
  if (options.deployed !== false) await setUp(settings, { enable: false });
  return { site, settings, admin: await adminClient(site.database, site.cluster) };
}

/** A role that has no part in the deployment, until the end of the test. */
export async function stranger(admin: pg.Client): Promise<string> {
  const name = `stranger_${randomBytes(4).toString('hex')}`;
  await admin.query(`CREATE ROLE ${name}`);
  undo.push(async () => {
    await admin.query(`DROP OWNED BY ${name}`);
    await admin.query(`DROP ROLE ${name}`);
  });
  return name;
}
