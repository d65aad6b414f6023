import type { ClientBase } from 'pg';
import { escapeIdentifier } from 'pg';
import { table } from '../../src/cli/output/table.js';
import { indented } from '../../src/cli/output/text.js';
import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { Settings } from '../../src/settings/settings.js';
import type { Fragment } from './fragments.js';
import type { Output } from './output.js';
import { sameSet } from './same-set.js';

interface CachedSet {
  readonly fragment: Fragment;
  readonly status: string;
  readonly keys: readonly string[];
  /** What the fragment returns when it is run directly. */
  readonly direct: readonly string[];
}

/** Shows the cache as the application reads it; throws if a set is not what its query returns. */
export async function showCache(
  settings: Settings,
  fragments: readonly Fragment[],
  { say, style }: Output,
): Promise<void> {
  await withClient(settings.client, async (client) => {
    await client.query(`SET search_path TO ${escapeIdentifier(settings.clientSchema)}`);
    // First, because it says why when a set is missing below.
    for (const line of await summariseLog(client, settings)) say(`  ${line}`);
    const sets: CachedSet[] = [];
    for (const fragment of fragments) sets.push(await readSet(client, settings, fragment));
    const shown = table(
      style,
      ['partition key', 'fragment', 'status', 'keys', 'same as direct'],
      sets.map((set) => [
        set.fragment.partitionKey,
        set.fragment.title,
        set.status,
        set.keys.length,
        isRight(set) ? 'yes' : 'NO',
      ]),
    );
    say(indented(shown));
    sayInFull(sets, say);
    refuseWrong(sets);
  });
}

async function readSet(
  client: ClientBase,
  settings: Settings,
  fragment: Fragment,
): Promise<CachedSet> {
  const { queries } = deploymentTables(settings);
  const cache = `${settings.tablePrefix}_cache_${fragment.partitionKey}`;
  const { rows } = await client.query<{ status: string; keys: string[] | null }>(
    `SELECT known.status, cache.partition_keys::text[] AS keys
       FROM ${clientName(settings, queries)} AS known
       LEFT JOIN ${clientName(settings, cache)} AS cache USING (query_hash)
      WHERE known.query_hash = $1 AND known.partition_key = $2`,
    [fragment.hash, fragment.partitionKey],
  );
  const direct = await client.query<[unknown]>({ text: fragment.query, rowMode: 'array' });
  return {
    fragment,
    status: rows[0]?.status ?? 'missing',
    keys: rows[0]?.keys ?? [],
    direct: direct.rows.map(([key]) => String(key)),
  };
}

function isRight({ status, keys, direct }: CachedSet): boolean {
  return status === 'ok' && sameSet(keys, direct);
}

function refuseWrong(sets: readonly CachedSet[]): void {
  const wrong = sets.filter((set) => !isRight(set));
  if (wrong.length === 0) return;
  throw new Error(
    wrong
      .map(
        ({ fragment, status, keys, direct }) =>
          `the cached set of "${fragment.title}" (status ${status}, ${keys.length} keys) is not what its query returns (${direct.length} keys): ${fragment.query}`,
      )
      .join('\n'),
  );
}

function sayInFull(sets: readonly CachedSet[], say: Output['say']): void {
  const set = sets.find(({ fragment }) => fragment.datatype === 'text');
  if (set === undefined) return;
  say(`  For example: ${set.fragment.query}`);
  say(`    cached: ${set.keys.join(', ')}`);
  say(`    direct: ${set.direct.toSorted().join(', ')}`);
}

async function summariseLog(client: ClientBase, settings: Settings): Promise<string[]> {
  const log = clientName(settings, deploymentTables(settings).processorLog);
  const { rows } = await client.query<{ line: string }>(
    `SELECT format('Processor log: %s times %s, run by %s%s', count(*), status, execution_source, ': ' || error_message) AS line
       FROM ${log} GROUP BY status, execution_source, error_message ORDER BY count(*) DESC`,
  );
  return rows.map(({ line }) => line);
}
