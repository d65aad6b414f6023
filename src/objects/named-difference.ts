import { pasteable, shown } from '../errors/shown.js';
import { unifiedDiff } from '../text/unified-diff.js';
import type { ObjectDifference, ObjectProblem } from './compare.js';
import { keyParts } from './identity.js';
import { keyOf } from './listed-object.js';
import { meaningOf, type Parts } from './meaning.js';
import { byKey } from './next-record.js';
import type { RecordedObject } from './record.js';
import { remedyOf } from './remedy.js';
import { isOfAnotherMake, isRenamed } from './renamed.js';
import { repairOf } from './repair.js';

/** A difference as people and programs get it. */
export interface NamedDifference {
  readonly kind: string;
  readonly identity: string;
  readonly problem: ObjectProblem;
  readonly expected?: string;
  readonly found?: string;
  /** Of routines and views: the lines in which expected and found differ. */
  readonly diff?: string;
  /** What it does to the deployment. */
  readonly meaning: string;
  /** What mends it. */
  readonly remedy: string;
  /** Whether verify --fix restores it. */
  readonly restorable: boolean;
}

const WITH_A_BODY = new Set(['function', 'procedure', 'aggregate', 'view', 'materialized view']);

export function nameDifference(
  difference: ObjectDifference,
  recorded: readonly RecordedObject[],
  parts: Parts,
  /** As strangerOf returns it. */
  stranger: string | undefined,
  differences: readonly ObjectDifference[],
): NamedDifference {
  const { kind, identity, problem, expected, found } = difference;
  const restorable = stranger === undefined && repairOf(difference, byKey(recorded)) !== undefined;
  return {
    kind,
    identity,
    problem,
    ...(expected && { expected: expected.definition }),
    ...(found && { found: found.definition }),
    ...(WITH_A_BODY.has(kind) &&
      expected &&
      found && {
        diff: unifiedDiff(
          { name: 'as recorded', text: expected.definition },
          { name: 'as found', text: found.definition },
        ),
      }),
    meaning: meaningOf(difference, parts),
    remedy: restorable ? FIX : leftTo(difference, stranger, isAsMade(difference, differences)),
    restorable,
  };
}

export const FIX = 'pcache-migrate verify --fix';

/**
 * Of one of these differences: who owns what is to be mended, or what contains it, if the record's owner cannot do it in
 * his place.
 */
export function strangersOf(
  differences: readonly ObjectDifference[],
  /** Whether the owner of the record has the rights of a role. */
  isOurs: (role: string) => boolean,
): (difference: ObjectDifference) => string | undefined {
  const strangerOf = ({ found }: ObjectDifference) => {
    const owner = found?.owner ?? undefined;
    return owner === undefined || isOurs(owner) ? undefined : owner;
  };
  // What is missing from a table in the place of ours has no owner itself.
  const containers = new Map(
    differences
      .filter(({ kind }) => kind === 'owner')
      .map((one) => [one.found?.parents.at(-1), strangerOf(one)]),
  );
  return (difference) =>
    strangerOf(difference) ??
    difference.expected?.parents
      .map((key) => containers.get(key))
      .find((owner) => owner !== undefined);
}

function leftTo(
  difference: ObjectDifference,
  stranger: string | undefined,
  isAsWeMadeIt: boolean,
): string {
  if (stranger === undefined) return remedyOf(difference);
  const alter =
    difference.kind === 'owner'
      ? ` ${handingOver(difference, isAsWeMadeIt)}`
      : difference.problem === 'unexpected' || isRenamed(difference) || isOfAnotherMake(difference)
        ? ` ${remedyOf(difference)}`
        : '';
  return `It belongs to role "${shown(stranger)}": only that role or an administrator can change it.${alter}`;
}

/** Whether anything is on it is known of the moment of the look alone, and its present owner may go on. */
export const LOOK_BEFORE =
  'look at it right before: what its present owner puts on it until then, such as the expression of an index, runs as the new one';

/** With the object, our role gets whatever is on it: ANALYZE and triggers would run that with our rights. */
function handingOver({ identity, expected }: ObjectDifference, isAsWeMadeIt: boolean): string {
  const object = keyParts(identity);
  return isAsWeMadeIt
    ? pasteable(
        `ALTER ${object.kind.toUpperCase()} ${object.identity} OWNER TO ${expected?.definition}; -- ${LOOK_BEFORE}`,
      )
    : `Something else about it is not as we made it, and would run with the rights of role "${shown(expected?.definition ?? '')}": give it to that role only once nothing else about it differs.`;
}

/** What neither has code nor calls any. */
const INERT = new Set(['owner', 'grant', 'comment']);

/** Of an object with another owner: whether nothing in it was added or changed. */
function isAsMade(
  { identity }: ObjectDifference,
  differences: readonly ObjectDifference[],
): boolean {
  return !differences.some(
    ({ kind, problem, found }) =>
      problem !== 'missing' &&
      !INERT.has(kind) &&
      found !== undefined &&
      [keyOf(found), ...found.parents].includes(identity),
  );
}
