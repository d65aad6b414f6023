import { MASK, maskConnectionUri } from './connection-uri.js';
import type { Lookup } from './lookup.js';
import { VARIABLES, type VariableName } from './variables.js';

export interface ResolvedVariable {
  readonly name: VariableName;
  /** Secrets are masked. */
  readonly value: string | undefined;
  /** "environment", ".env" or the file given instead, "from <variable>", "default", "not set". */
  readonly source: string;
}

export function resolvedVariables(lookup: Lookup): ResolvedVariable[] {
  return VARIABLES.map(({ name, secret, uri }) => {
    const found = lookup(name);
    if (found === undefined) return { name, value: undefined, source: 'not set' };
    const value = secret ? MASK : uri ? maskConnectionUri(found.value) : found.value;
    return { name, value, source: found.source };
  });
}
