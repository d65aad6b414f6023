import type { ClientBase, QueryConfig, QueryResult } from 'pg';

/**
 * Runs a statement that was read from elsewhere. By the extended protocol, since there the server refuses a text
 * with a second statement (`COMMIT`, say) in it, which by the simple one would end our transaction.
 */
export function queryOne(client: ClientBase, text: string): Promise<QueryResult> {
  // The types of pg leave queryMode out.
  const query: QueryConfig & { readonly queryMode: 'extended' } = { text, queryMode: 'extended' };
  return client.query(query);
}
