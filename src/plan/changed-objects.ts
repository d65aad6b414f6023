import type { ClientBase } from 'pg';
import { splitStatements } from '../migrations/split-statements.js';
import { unifiedDiff, type Version } from '../text/unified-diff.js';
import { definedObjects, type ObjectDefinition } from './defined-objects.js';
import type { ChangedObject } from './plan.js';

/** A routine or view that is in the database. */
interface LiveObject {
  readonly kind: ObjectDefinition['kind'];
  readonly schema: string;
  readonly name: string;
  /** Of the parameters that callers pass, as PostgreSQL names them; of a view none. */
  readonly types: string;
  /** As SQL has it, with its schema and the types of a routine. */
  readonly identity: string;
  /** The text between the dollar signs; null where PostgreSQL keeps it in another form. */
  readonly body: string | null;
  readonly definition: string;
}

export function objectsIn(scripts: readonly string[]): ObjectDefinition[] {
  return scripts.flatMap(objectsOf);
}

/** Of the last scripts: one plan asks several times of the same. */
const found = new Map<string, readonly ObjectDefinition[]>();
const MOST_SCRIPTS = 200;

function objectsOf(script: string): readonly ObjectDefinition[] {
  const known = found.get(script);
  if (known !== undefined) return known;
  const objects = splitStatements(script).flatMap(({ text }) => definedObjects(text));
  if (found.size === MOST_SCRIPTS) found.clear();
  found.set(script, objects);
  return objects;
}

/** What is known of what should be there. */
export interface Released {
  /** The scripts of the releases, in their order. */
  readonly scripts: readonly string[];
  /** Whether what is there is as a release recorded it; null where that cannot be told. */
  readonly isAsRecorded: (kind: ObjectDefinition['kind'], identity: string) => boolean | null;
}

/** What the scripts replace or drop of what is there. */
export async function changedObjects(
  client: ClientBase,
  scripts: readonly string[],
  released: Released,
): Promise<ChangedObject[]> {
  const planned = objectsIn(scripts);
  const live = await readLive(client, planned);
  if (live.length === 0) return [];
  const made = objectsIn(released.scripts).filter(({ action }) => action === 'create');
  return live.flatMap((object) => {
    const last = planned.findLast((step) => isAbout(step, object, live));
    if (last === undefined) return [];
    const source = made.findLast((step) => isAbout(step, object, live));
    return [change(object, last, source, released.isAsRecorded(object.kind, object.identity))];
  });
}

/** Types are compared only where the name stands for several routines: a statement may leave them out. */
function isAbout(
  { kind, schema, name, types }: ObjectDefinition,
  object: LiveObject,
  live: readonly LiveObject[],
): boolean {
  const isNamed = (candidate: LiveObject) =>
    candidate.kind === kind && candidate.schema === schema && candidate.name === name;
  if (!isNamed(object)) return false;
  return types === undefined || live.filter(isNamed).length === 1
    ? true
    : types.join(', ') === object.types;
}

function change(
  live: LiveObject,
  next: ObjectDefinition,
  released: ObjectDefinition | undefined,
  isAsRecorded: boolean | null,
): ChangedObject {
  const asReleased = isAsReleased(live, released, isAsRecorded);
  const before =
    asReleased === true && released !== undefined
      ? { name: 'as released', text: released.text }
      : { name: 'as it is in the database', text: live.definition };
  return {
    kind: live.kind,
    name: live.identity,
    action: next.action === 'create' ? 'replaced' : 'dropped',
    live: live.definition,
    asReleased,
    diff: diffOf(before, next, asReleased),
  };
}

/** The record has all that a definition says; without it, a body can be compared with its source, and no more. */
function isAsReleased(
  { body }: LiveObject,
  released: ObjectDefinition | undefined,
  isAsRecorded: boolean | null,
): boolean | null {
  if (released === undefined) return false;
  if (body !== null && body !== released.body) return false;
  return isAsRecorded ?? (body === null ? null : true);
}

function diffOf(before: Version, next: ObjectDefinition, asReleased: boolean | null): string {
  const was = { ...before, text: withLineEnd(before.text) };
  if (next.action === 'create') {
    return unifiedDiff(was, { name: 'as planned', text: withLineEnd(next.text) });
  }
  // What a release made is in its migrations; only what somebody else made would be lost.
  return asReleased === true ? '' : unifiedDiff(was, { name: 'dropped', text: '' });
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

// Objects are looked up in the catalogue alone: that needs no right on them, nor on their schema.
async function readLive(
  client: ClientBase,
  planned: readonly ObjectDefinition[],
): Promise<LiveObject[]> {
  const names = [
    ...new Map(planned.map((step) => [`${step.schema}\0${step.name}`, step])).values(),
  ];
  const { rows } = await client.query<LiveObject>(
    `SELECT * FROM (
       SELECT 'routine' AS kind, n.nspname::text AS schema, p.proname::text AS name,
              pg_catalog.oidvectortypes(p.proargtypes) AS types,
              format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)) AS identity,
              nullif(p.prosrc, '') AS body,
              pg_catalog.pg_get_functiondef(p.oid) AS definition
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prokind IN ('f', 'p') AND (n.nspname, p.proname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
       UNION ALL
       SELECT 'view', n.nspname::text, c.relname::text, '', format('%I.%I', n.nspname, c.relname), NULL,
              pg_catalog.pg_get_viewdef(c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
     ) AS live
     ORDER BY schema COLLATE "C", name COLLATE "C", kind, types COLLATE "C"`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
  return rows;
}
