import type { ListedObject } from '../../../src/objects/listed-object.js';
import type { RecordedObject } from '../../../src/objects/record.js';

export const V15 = 150_020;
export const V17 = 170_012;

export function recorded(
  kind: string,
  identity: string,
  definition = '',
  more: Partial<RecordedObject> = {},
): RecordedObject {
  return {
    kind,
    identity,
    definition,
    parents: [],
    verbatim: null,
    position: 1,
    serverVersionNum: V17,
    ...more,
  };
}

export function listed(
  kind: string,
  identity: string,
  definition = '',
  more: Partial<ListedObject> = {},
): ListedObject {
  return {
    kind,
    identity,
    definition,
    parents: [],
    verbatim: null,
    position: 1,
    written: false,
    rewritten: false,
    owner: 'migrator',
    ...more,
  };
}
