const keys = 'partition_keys integer[]';
const count =
  'partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED';

/** What an outsider puts in the place of a cache table: its kind, and the statements for a table's name. */
export interface Plant {
  readonly kind: string;
  readonly statements: (table: string) => string;
  /** What is said of it, beside its owner. */
  readonly named: RegExp;
  /** Not a table that could be given to another owner as it is. */
  readonly notATable?: true;
}

const like = (table: string, more = '') =>
  `CREATE TABLE ${table} (query_hash text PRIMARY KEY, ${keys}, ${count}${more});`;

export const plants: readonly Plant[] = [
  {
    kind: 'a trigger',
    statements: (table) =>
      `${like(table)} CREATE TRIGGER pcache_notify BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION spy_row();`,
    named: /trigger pcache_notify/,
  },
  {
    kind: 'a rule',
    statements: (table) =>
      `${like(table)} CREATE RULE also AS ON INSERT TO ${table} DO ALSO SELECT spy();`,
    named: /rule also/,
  },
  {
    kind: 'a default',
    statements: (table) => like(table, ", more text DEFAULT spy_text('x')"),
    named: /default value for column more .* by function public.spy_text/,
  },
  {
    kind: 'a default that hands SQL to PostgreSQL',
    statements: (table) =>
      like(table, ", more xml DEFAULT query_to_xml('SELECT public.spy()', true, false, '')"),
    named: /default value for column more .* by (?:pg_catalog.)?query_to_xml/,
  },
  {
    kind: 'a generated column',
    statements: (table) =>
      like(table, ', more text GENERATED ALWAYS AS (spy_text(query_hash)) STORED'),
    named: /by function public.spy_text/,
  },
  {
    kind: 'a constraint',
    statements: (table) => like(table, ', CONSTRAINT checked CHECK (spy())'),
    named: /constraint checked .* by function public.spy\(\)/,
  },
  {
    kind: 'a policy',
    statements: (table) =>
      `${like(table)} ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
       CREATE POLICY mine ON ${table} USING (spy()) WITH CHECK (spy());`,
    named: /row security.*policy mine|policy mine.*row security/,
  },
  {
    kind: 'a domain',
    statements: (table) =>
      `CREATE TABLE ${table} (query_hash spy_domain PRIMARY KEY, ${keys}, ${count});`,
    named: /column query_hash .* by type public.spy_domain/,
  },
  {
    kind: 'an index',
    statements: (table) => `${like(table)} CREATE INDEX ON ${table} (spy_text(query_hash));`,
    named: /by function public.spy_text/,
  },
  {
    kind: 'statistics',
    statements: (table) =>
      `${like(table)} CREATE STATISTICS ${table}_s ON (spy_text(query_hash)), query_hash FROM ${table};`,
    named: /statistics object .* by function public.spy_text/,
  },
  {
    kind: 'statistics that hand SQL to PostgreSQL',
    statements: (table) =>
      `${like(table)} CREATE STATISTICS ${table}_s ON (query_to_xml('SELECT public.spy()', true, false, '')::text), query_hash FROM ${table};`,
    named: /statistics object .* by (?:pg_catalog.)?query_to_xml/,
  },
  {
    kind: 'a parent',
    statements: (table) =>
      `CREATE TABLE ${table} (query_hash text PRIMARY KEY, ${keys}, ${count}) INHERITS (parent);`,
    named: /parent public.parent/,
  },
  {
    kind: 'a child',
    statements: (table) =>
      `${like(table)} CREATE TABLE ${table}_child () INHERITS (${table});
       CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON ${table}_child FOR EACH ROW EXECUTE FUNCTION spy_row();`,
    named: /child public.my_cache_cache_\w+_child/,
  },
  {
    kind: 'a foreign key',
    statements: (table) =>
      `CREATE TABLE ${table} (query_hash text PRIMARY KEY CONSTRAINT tied REFERENCES referenced, ${keys}, ${count});`,
    named: /foreign key tied/,
  },
  {
    kind: 'partitions',
    statements: (table) =>
      `CREATE TABLE ${table} (query_hash text PRIMARY KEY, ${keys}) PARTITION BY LIST (query_hash);
       CREATE TABLE ${table}_all PARTITION OF ${table} DEFAULT;
       CREATE TRIGGER t BEFORE INSERT ON ${table}_all FOR EACH ROW EXECUTE FUNCTION spy_row();`,
    named: /it is partitioned/,
  },
  {
    kind: 'a view',
    statements: (table) =>
      `CREATE VIEW ${table} AS SELECT spy_text(query_hash) AS query_hash, '{}'::integer[] AS partition_keys FROM parent;
       CREATE TRIGGER t INSTEAD OF INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION spy_row();`,
    named: /it is a view/,
    notATable: true,
  },
  {
    kind: 'a foreign table',
    statements: (table) =>
      `CREATE FOREIGN TABLE ${table} (query_hash text, ${keys}) SERVER elsewhere;
       CREATE TRIGGER t BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION spy_row();`,
    named: /it is a foreign table/,
    notATable: true,
  },
  {
    kind: 'a materialized view',
    statements: (table) =>
      `CREATE MATERIALIZED VIEW ${table} AS SELECT ''::text AS query_hash, '{}'::integer[] AS partition_keys;`,
    named: /it is a materialized view/,
    notATable: true,
  },
];
