import { createHash } from 'node:crypto';
import { type Plan, type PlannedStream, UNKNOWABLE, type Unknowable } from './plan.js';

/**
 * `sha256:<64 hexadecimal digits>`, and what it does not cover where something was unknown:
 * `sha256:…-without-jobs`. So whoever approves it sees what was not reviewed, and `up` knows what not to compare.
 */
export type PlanHash = string;

export interface ApprovedHash {
  readonly hash: PlanHash;
  readonly without: readonly Unknowable[];
}

// No shorter form: whoever can change the package could find another plan with the same first digits.
const HASH = new RegExp(
  `^sha256:[0-9a-f]{64}(?:-without-(?<without>${alternatives()}(?:,${alternatives()})*))?$`,
);

function alternatives(): string {
  return `(?:${UNKNOWABLE.join('|')})`;
}

export function hashOf(plan: Plan, without: readonly Unknowable[] = unknownIn(plan)): PlanHash {
  const digest = createHash('sha256')
    .update(canonicalJson(substanceOf(plan, without)))
    .digest('hex');
  return `sha256:${digest}${without.length > 0 ? `-without-${without.join(',')}` : ''}`;
}

export function unknownIn({ unknown }: Plan): Unknowable[] {
  return UNKNOWABLE.filter((part) => unknown.some((found) => found.part === part));
}

/** Undefined for what is no hash of a plan. */
export function parseHash(text: string): ApprovedHash | undefined {
  const found = HASH.exec(text.trim());
  return found === null
    ? undefined
    : { hash: found[0], without: (found.groups?.without?.split(',') ?? []) as Unknowable[] };
}

/** Whether the plan is the one that was approved, as far as that one was known. */
export function isApproved(plan: Plan, { hash, without }: ApprovedHash): boolean {
  // What was known when it was approved has to be known now.
  if (unknownIn(plan).some((part) => !without.includes(part))) return false;
  return hashOf(plan, without) === hash;
}

/** What of a plan matters: all that `up` does and replaces, and nothing that changes by itself. */
export function substanceOf(plan: Plan, without: readonly Unknowable[] = []): object {
  const covered = (part: Unknowable, value: object) => (without.includes(part) ? {} : value);
  const { direction, packageVersion, mode, transport, names, streams } = plan;
  const { administrator, fragmentRole, jobs, link, kept, givenUp } = plan;
  return {
    direction,
    packageVersion,
    mode,
    transport,
    names,
    streams: streams.map(substanceOfStream),
    kept,
    givenUp: givenUp.map(({ table }) => table),
    ...covered('administrator', { administrator }),
    ...covered('fragment-role', { fragmentRole }),
    ...covered('jobs', { jobs }),
    ...covered('link', { link }),
  };
}

/** Not the rows and bytes at stake, which move by themselves. */
export function substanceOfStream(stream: PlannedStream) {
  const { database, schema, applied, newer, preparation, migrations, objects } = stream;
  return {
    stream: stream.stream,
    database,
    schema,
    applied,
    newer,
    preparation,
    migrations: migrations.map(({ locks, name, sql, inTransaction, drops }) => ({
      name,
      sql,
      inTransaction,
      drops,
      locks: locks?.map(({ relation, modes }) => ({ relation, modes })) ?? null,
    })),
    objects: objects.map(({ kind, name, action, live }) => ({ kind, name, action, live })),
  };
}

/** The same text for the same value, whatever the order of its members. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
