import { shown } from '../errors/shown.js';
import type { Plan, PlannedStream, Unknowable } from './plan.js';
import { canonicalJson, substanceOf, substanceOfStream } from './plan-hash.js';

/** What of a plan that was approved is no longer so, a line each; `without` is left out of account. */
export function differences(
  approved: Plan,
  now: Plan,
  without: readonly Unknowable[] = [],
): string[] {
  const simple = [
    same(approved.direction, now.direction) || 'one plan is of up, the other of down',
    same(approved.packageVersion, now.packageVersion) ||
      `the package was ${approved.packageVersion}, and is ${now.packageVersion}`,
    same([approved.mode, approved.transport], [now.mode, now.transport]) ||
      `the transport was ${approved.transport}, and is ${now.transport}`,
    ...Object.keys({ ...approved.names, ...now.names }).map(
      (name) =>
        same(approved.names[name], now.names[name]) ||
        `setting ${name} was ${quoted(approved.names[name])}, and is ${quoted(now.names[name])}`,
    ),
    covers('administrator', approved.administrator, now.administrator) ||
      'other statements need an administrator',
    covers('fragment-role', approved.fragmentRole, now.fragmentRole) ||
      `the fragment role would become ${quoted(now.fragmentRole)}, not ${quoted(approved.fragmentRole)}`,
    covers('link', approved.link, now.link) || 'the link to pg_cron would be changed otherwise',
    covers('jobs', approved.jobs, now.jobs) ||
      `the changes of pg_cron's jobs are others: ${changedNames(approved.jobs, now.jobs, ({ jobName }) => jobName)}`,
  ];
  const found = [
    ...simple.filter((line) => typeof line === 'string'),
    ...streamDifferences(approved.streams, now.streams),
  ];
  const isSame = same(substanceOf(approved, without), substanceOf(now, without));
  return found.length === 0 && !isSame ? ['something else'] : found;

  function covers(part: Unknowable, before: unknown, after: unknown): boolean {
    return without.includes(part) || same(before, after);
  }
}

function streamDifferences(
  approved: readonly PlannedStream[],
  now: readonly PlannedStream[],
): string[] {
  const names = new Set([...approved, ...now].map(({ stream }) => stream));
  return [...names].flatMap((name) => {
    const before = approved.find(({ stream }) => stream === name);
    const after = now.find(({ stream }) => stream === name);
    if (before === undefined || after === undefined) {
      return [`the ${name} stream is ${after === undefined ? 'no longer' : 'now'} part of it`];
    }
    const at = `in the ${name} stream`;
    const what = (key: 'applied' | 'migrations' | 'objects') =>
      changedNames<{ readonly name: string }>(before[key], after[key], (member) => member.name);
    const [was, is] = [substanceOfStream(before), substanceOfStream(after)];
    return [
      same([before.database, before.schema], [after.database, after.schema]) ||
        `${at}, database or schema is another: ${quoted(after.database)}, ${quoted(after.schema)}`,
      same(before.applied, after.applied) ||
        `${at}, other migrations are applied: ${what('applied')}`,
      same([was.migrations, before.preparation], [is.migrations, after.preparation]) ||
        `${at}, other migrations or other SQL would be run: ${what('migrations')}`,
      same(was.objects, is.objects) ||
        `${at}, what would be replaced has changed: ${what('objects')}`,
    ].filter((line) => typeof line === 'string');
  });
}

/** Of those that are in one list only, or not the same in both. */
function changedNames<Member>(
  before: readonly Member[] | null,
  after: readonly Member[] | null,
  nameOf: (member: Member) => string,
): string {
  const [was, is] = [before ?? [], after ?? []];
  const names = new Set([...was, ...is].map(nameOf));
  const changed = [...names].filter(
    (name) =>
      !same(
        was.filter((member) => nameOf(member) === name),
        is.filter((member) => nameOf(member) === name),
      ),
  );
  const listed = changed.slice(0, MOST_NAMES).map(shown).join(', ');
  const more = changed.length - MOST_NAMES;
  return `${listed || 'their order'}${more > 0 ? ` and ${more} more` : ''}`;
}

const MOST_NAMES = 10;

function same(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function quoted(text: string | null | undefined): string {
  return text === null || text === undefined || text === '' ? 'none' : `"${shown(text)}"`;
}
