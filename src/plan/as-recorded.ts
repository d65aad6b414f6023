import type { ClientBase } from 'pg';
import { inTransaction } from '../database/in-transaction.js';
import { examineObjects } from '../objects/examine-objects.js';
import type { ObjectScope } from '../objects/scope.js';
import type { Released } from './changed-objects.js';
import { ifAnswered, known } from './known.js';

/** Compares the stream's objects with what its releases recorded; says of none where no record can be read. */
export async function readAsRecorded(
  client: ClientBase,
  scope: ObjectScope,
): Promise<Released['isAsRecorded']> {
  const examined = await ifAnswered(async () =>
    known(await inTransaction(client, () => examineObjects(client, scope))),
  );
  if (!examined.isKnown || 'unknown' in examined.value) return () => null;
  const { recorded, differences, notCompared } = examined.value;
  return (kind, identity) => {
    const isThis = (object: { readonly kind: string; readonly identity: string }) =>
      object.identity === identity && (object.kind === 'view') === (kind === 'view');
    if (!recorded.some(isThis)) return false;
    if (notCompared.some(({ expected }) => isThis(expected))) return null;
    return !differences.some(isThis);
  };
}
