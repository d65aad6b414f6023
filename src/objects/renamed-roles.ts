import type { ClientBase } from 'pg';
import type { ObjectDifference } from './compare.js';
import { granteeOf } from './identity.js';
import { keyOf } from './listed-object.js';
import type { RecordedObject } from './record.js';

/**
 * The differences, with one for each role that was renamed in the place of all that follow from it: the owner or the
 * grantee of everything is another name then.
 */
export async function namingRenamedRoles(
  client: ClientBase,
  differences: readonly ObjectDifference[],
): Promise<ObjectDifference[]> {
  const changes = differences.flatMap((one) => changeOf(one) ?? []);
  const gone = await goneOf(client, [...new Set(changes.flatMap(({ from }) => from ?? []))]);
  return gone.reduce((rest, role) => nameOne(rest, changes, role), [
    ...differences,
  ] as ObjectDifference[]);
}

/** Of a grant or an owner: on what, and which role has it no longer, or has it now. Roles as SQL has them. */
interface Change {
  readonly difference: ObjectDifference;
  /** Where, and what: the same of both roles if one is the other. */
  readonly what: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

function changeOf(difference: ObjectDifference): Change | undefined {
  const { kind, identity, problem, expected, found } = difference;
  if (kind === 'owner' && problem === 'changed') {
    return { difference, what: identity, from: expected?.definition, to: found?.definition };
  }
  const one = expected ?? found;
  if (kind !== 'grant' || problem === 'changed' || one === undefined) return undefined;
  const key = one.parents.at(-1) ?? '';
  const grantee = granteeOf(identity, key);
  return {
    difference,
    what: `${key} ${one.definition}`,
    from: problem === 'missing' ? grantee : undefined,
    to: problem === 'unexpected' ? grantee : undefined,
  };
}

async function goneOf(client: ClientBase, roles: readonly string[]): Promise<string[]> {
  if (roles.length === 0) return [];
  const { rows } = await client.query<{ role: string }>(
    `SELECT role FROM pg_catalog.unnest($1::text[]) AS role
      WHERE role NOT IN ('PUBLIC', 'its owner')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE pg_catalog.quote_ident(rolname) = role)
      ORDER BY 1`,
    [roles],
  );
  return rows.map(({ role }) => role);
}

/** Unchanged where no other role has all that this one had. */
function nameOne(
  differences: ObjectDifference[],
  changes: readonly Change[],
  role: string,
): ObjectDifference[] {
  const lost = changes.filter(({ from }) => from === role);
  const heirs = lost.map(({ what, to }) => (to === undefined ? heirsTo(changes, what) : [to]));
  const now = heirs[0]?.find((heir) => heirs.every((those) => those.includes(heir)));
  if (now === undefined) return differences;
  const whats = new Set(lost.map(({ what }) => what));
  const follows = new Set(
    changes
      .filter(
        ({ what, from, to }) => (from ?? role) === role && (to ?? now) === now && whats.has(what),
      )
      .map(({ difference }) => keyOf(difference)),
  );
  return [renamed(role, now), ...differences.filter((one) => !follows.has(keyOf(one)))];
}

function heirsTo(changes: readonly Change[], what: string): string[] {
  return changes.flatMap(({ what: other, to }) => (other === what && to !== undefined ? to : []));
}

function renamed(role: string, now: string): ObjectDifference {
  const named = (identity: string): RecordedObject => ({
    kind: 'role',
    identity,
    parents: [],
    definition: identity,
    verbatim: null,
    position: 0,
    serverVersionNum: 0,
  });
  const found = { ...named(now), written: false, rewritten: false, owner: null };
  return { kind: 'role', identity: role, problem: 'changed', expected: named(role), found };
}
