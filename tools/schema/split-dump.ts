/** A part of pg_dump's output: what it says of one object, or of one aspect of it. */
interface Section {
  readonly name: string;
  readonly type: string;
  readonly sql: string;
}

const HEADING = /^-- Name: (?<name>.*); Type: (?<type>[A-Z ]+); Schema: .*$/;

// What an operator would look for together stands in one file; a table has its indexes and triggers with it.
const FOLDERS: Readonly<Record<string, string>> = {
  AGGREGATE: 'functions',
  FUNCTION: 'functions',
  PROCEDURE: 'procedures',
  VIEW: 'views',
  TABLE: 'tables',
  TYPE: 'types',
  SERVER: 'servers',
  'USER MAPPING': 'servers',
  SCHEMA: 'schemas',
  EXTENSION: 'extensions',
};

/**
 * Splits a schema-only dump into files, one for each object: `functions/claim_batch.sql`, `tables/batch.sql` …;
 * overloads share the file of their name. Raises for an object that it has no folder for, so that none is lost.
 */
export function splitDump(dump: string): Map<string, string> {
  const sections = sectionsOf(dump);
  const owners = sequenceOwners(sections);
  const views = new Set(sections.flatMap(({ name, type }) => (type === 'VIEW' ? [name] : [])));
  const files = new Map<string, string>();
  for (const section of sections) {
    const file = fileOf(section, owners, views);
    files.set(file, `${files.has(file) ? `${files.get(file)}\n` : ''}${section.sql}\n`);
  }
  return files;
}

function sectionsOf(dump: string): Section[] {
  const sections: { name: string; type: string; lines: string[] }[] = [];
  for (const line of dump.split('\n')) {
    const heading = HEADING.exec(line)?.groups;
    if (heading !== undefined) {
      sections.push({ name: heading.name as string, type: heading.type as string, lines: [] });
    } else if (!/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict)/.test(line)) {
      sections.at(-1)?.lines.push(line);
    }
  }
  return sections.map(({ name, type, lines }) => ({
    name,
    type,
    sql: lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
  }));
}

/** The table of each sequence that a column owns. */
function sequenceOwners(sections: readonly Section[]): Map<string, string> {
  return new Map(
    sections.flatMap(({ name, type, sql }) => {
      const table =
        type === 'SEQUENCE OWNED BY'
          ? /OWNED BY [^.]+\.([^.]+)\./.exec(sql)?.[1]
          : type === 'SEQUENCE'
            ? /^ALTER TABLE [^.]+\.(\S+)/.exec(sql)?.[1]
            : undefined;
      return table === undefined ? [] : [[name, table] as const];
    }),
  );
}

function fileOf(
  section: Section,
  owners: ReadonlyMap<string, string>,
  views: ReadonlySet<string>,
): string {
  const { type, name } = described(section, views);
  const table = tableOf(type, name, section.sql, owners);
  if (table !== undefined) return `tables/${table}.sql`;
  const folder = FOLDERS[type];
  if (folder === undefined) throw new Error(`no folder for ${type} ${name} of the dump`);
  return `${folder}/${plainName(name)}.sql`;
}

/**
 * A comment and an access list belong to what they are about: "FUNCTION f(integer)", "COLUMN t.c". To pg_dump a
 * view is a TABLE here.
 */
function described(
  { name, type }: Section,
  views: ReadonlySet<string>,
): { type: string; name: string } {
  if (type !== 'COMMENT' && type !== 'ACL') return { type, name };
  const [, about = '', of = ''] = /^([A-Z]+) (.*)$/.exec(name) ?? [];
  if (about !== 'COLUMN' && about !== 'TABLE') return { type: about, name: of };
  const relation = of.split('.')[0] ?? '';
  return { type: views.has(relation) ? 'VIEW' : 'TABLE', name: relation };
}

function tableOf(
  type: string,
  name: string,
  sql: string,
  owners: ReadonlyMap<string, string>,
): string | undefined {
  switch (type) {
    case 'TABLE':
      return undefined;
    case 'SEQUENCE':
    case 'SEQUENCE OWNED BY':
      return owners.get(name);
    case 'DEFAULT':
    case 'CONSTRAINT':
      return /^ALTER TABLE (?:ONLY )?[^.]+\.(\S+)/.exec(sql)?.[1];
    case 'INDEX':
    case 'TRIGGER':
      return / ON (?:ONLY )?[^.\s]+\.(\S+)/.exec(sql)?.[1];
    default:
      return undefined;
  }
}

function plainName(name: string): string {
  return name.replace(/\(.*/s, '').replace(/^.* SERVER /, '');
}
