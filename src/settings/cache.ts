import { quoted } from './found.js';
import type { Lookup } from './lookup.js';
import { CACHE_PREFIX_MAX_BYTES, parsePlainName } from './names.js';
import type { Problems } from './problem.js';
import type { CacheBackend } from './settings.js';
import type { VariableName } from './variables.js';

const BACKENDS: ReadonlyMap<string, [CacheBackend, VariableName]> = new Map([
  ['postgresql_array', ['array', 'PG_ARRAY_CACHE_TABLE_PREFIX']],
  ['postgresql_bit', ['bit', 'PG_BIT_CACHE_TABLE_PREFIX']],
  ['postgresql_roaringbit', ['roaringbit', 'PG_ROARINGBIT_CACHE_TABLE_PREFIX']],
]);

const CHOICE = [...BACKENDS.keys()].join(', ');

export interface Cache {
  readonly cacheBackend: CacheBackend;
  readonly tablePrefix: string;
}

export function readCache(lookup: Lookup, problems: Problems): Cache | undefined {
  const found = lookup('CACHE_BACKEND');
  if (found === undefined) {
    return problems.add('CACHE_BACKEND', 'is not set', `Set it to one of ${CHOICE}.`);
  }
  const backend = BACKENDS.get(found.value);
  if (backend === undefined) {
    return problems.add(
      found.origin,
      `${quoted(found)} is not a backend that this package deploys`,
      `Set it to one of ${CHOICE}.`,
    );
  }
  const [cacheBackend, prefixVariable] = backend;
  const prefix = lookup(prefixVariable);
  if (prefix === undefined) {
    return problems.add(
      prefixVariable,
      `is not set, and CACHE_BACKEND is ${quoted(found)}`,
      'Set it to the prefix that the application uses for its cache tables, such as my_cache.',
    );
  }
  const tablePrefix = parsePlainName(prefix, CACHE_PREFIX_MAX_BYTES, problems);
  return tablePrefix === undefined ? undefined : { cacheBackend, tablePrefix };
}
