import type { Fragment } from '../sample-data.js';
import type { Member } from './deploy-fleet.js';

/** Throws unless everything that this deployment has worked on so far succeeded and is cached. */
export async function assertNothingFailed({ site }: Member): Promise<void> {
  const { log, queries, cache } = site.tables;
  const { rows } = await site.admin.query(
    `SELECT (SELECT count(*) FROM ${cache} WHERE partition_keys IS NOT NULL)::integer AS cached,
            (SELECT count(*) FROM ${queries})::integer AS known,
            count(*)::integer AS failed, max(error_message) AS error
       FROM ${log} WHERE status NOT IN ('started', 'success', 'skipped')`,
  );
  const { cached, known, failed, error } = rows[0];
  if (failed === 0 && cached === known) return;
  throw new Error(
    `not everything succeeded in database ${site.settings.work.database}: of ${known} fragments ${cached} are cached; ` +
      `the log has ${failed} failures${failed === 0 ? '' : `, one of them: ${error}`}`,
  );
}

/** Throws unless the set of this fragment is cached and is what the fragment returns. */
export async function assertRightSet({ site }: Member, { hash, query }: Fragment): Promise<void> {
  const { rowCount } = await site.admin.query(
    `SELECT FROM ${site.tables.cache} WHERE query_hash = $1 AND partition_keys = ARRAY(${query})`,
    [hash],
  );
  if (rowCount === 1) return;
  throw new Error(
    `the fragment "${query}" has left the queue in database ${site.settings.work.database} without its set being cached`,
  );
}
