import { child, constraint, index, policy, rule, statistics, trigger } from './attachments.js';
import { anythingElse, extension, routine, schema, type } from './others.js';
import type { WrittenHere } from './parts.js';
import { column, relation, sequence, table, view } from './relations.js';
import { comment, defaultPrivileges, grant, owner } from './rights.js';

const union = (selects: readonly string[]): string => selects.join('\nUNION ALL');

/**
 * SQL: everything of ours in the database, a row each. Parameters: our schema; the clients' schema; the identities of
 * what is ours there, and of the extensions; how the names of cache tables begin; which tables are none all the same.
 */
export function listingSql(written: WrittenHere): string {
  const parts = [
    schema,
    table,
    view,
    sequence,
    column,
    constraint,
    index,
    trigger,
    rule,
    policy,
    statistics,
    child,
    routine,
    type,
    extension,
    anythingElse,
  ];
  return `
WITH relation AS MATERIALIZED (${relation()}),
object (class, oid, part, kind, identity, parents, definition, verbatim, owner, acl, acl_type,
        written, rewritten) AS MATERIALIZED (${union(parts.map((part) => part(written)))}),
listing (kind, identity, parents, definition, verbatim, position, written, rewritten, owner) AS (
  -- The columns of a table in their order; it has no more than 1600.
  SELECT kind, identity, parents, definition, verbatim, oid::bigint * 2048 + part, written,
         rewritten, owner
  FROM object
UNION ALL${union([comment(written), owner(), grant(written), defaultPrivileges()])}
)
SELECT listing.kind, listing.identity, listing.parents, listing.definition, listing.verbatim,
       listing.position, listing.written, listing.rewritten,
       pg_get_userbyid(listing.owner) AS owner
FROM listing`;
}
