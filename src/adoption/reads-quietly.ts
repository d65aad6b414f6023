/**
 * SQL on `pg_class AS c`: reading the table runs nobody's code, whoever reads it. Views, rules and row security do, and
 * so does an index or a statistics object on an expression, which PostgreSQL computes when it plans.
 */
export const READS_QUIETLY = `(
  c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relhasrules AND NOT c.relhassubclass
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
  AND NOT EXISTS (
    SELECT FROM pg_depend
     WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
       AND classid = 'pg_class'::regclass
       AND objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid))
  -- These may call what is PostgreSQL's own, which is not recorded, and runs SQL: query_to_xml.
  AND NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = c.oid AND stxexprs IS NOT NULL))`;

export const WHY_NOT_QUIETLY =
  'reading it could run code of others (it is a view, partitioned or inherited, or has rules, row security, or an index or statistics on an expression)';

/**
 * Likewise: deleting from it runs nobody's code either, once its own triggers are gone. Those of a table that refers to
 * it stay, and one that is deferred runs with the rights of whoever commits.
 */
export const DELETES_QUIETLY = `(
  ${READS_QUIETLY}
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE confrelid = c.oid AND contype = 'f'))`;

export const WHY_NOT_DELETED_QUIETLY =
  'reading or emptying it could run code of others (it is a view, partitioned, inherited or referred to by another table, or has rules, row security, a type of somebody’s own, or an index or statistics on an expression)';

/** SQL: whether the object of this class and oid is of an extension. */
export const ofExtension = (classid: string, objid: string): string => `EXISTS (
  SELECT FROM pg_depend AS member
   WHERE member.classid = ${classid} AND member.objid = ${objid} AND member.deptype = 'e')`;
