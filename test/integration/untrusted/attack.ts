/** One fragment that tries to do more than return keys, and what must come of it. */
export type Attack = Refused | Harmless;

interface Fragment {
  readonly name: string;
  readonly query: string;
  /** The partition key; zipcode (integer) by default, label holds text. */
  readonly key?: 'label';
  /** Messages that no processor can suppress: of level INFO, or after the fragment has set client_min_messages. */
  readonly mayInform?: boolean;
  /** Takes seconds, so one way of processing it must do. */
  readonly costly?: boolean;
  /** The error where the fragment has a role of its own, because of which PostgreSQL refuses it, or earlier. */
  readonly errorInRole?: string | RegExp;
}

/** Ends as failed, with this error in the log: the whole of it, or what it must match. */
export interface Refused extends Fragment {
  readonly error: string | RegExp;
}

/** Is evaluated like any other fragment: this set is in the cache afterwards, and nothing else has changed. */
export interface Harmless extends Fragment {
  readonly keys: readonly number[] | { readonly count: number };
  /** The server's version number from which on PostgreSQL itself refuses it, and how. */
  readonly refusedFrom?: { readonly version: number; readonly error: string };
}

export function refused(name: string, query: string, error: string | RegExp): Refused {
  return { name, query, error };
}

export function harmless(name: string, query: string, keys: Harmless['keys'] = [1]): Harmless {
  return { name, query, keys };
}

/** The same, where the fragment role makes another error of it. */
export function inRole(error: string | RegExp, attack: Attack): Attack {
  return { ...attack, errorInRole: error };
}

/** A fragment that makes a function of the database execute this statement. */
export function byFunction(statement: string): string {
  return `SELECT attack.run(${literal(statement)})`;
}

/** Like byFunction, but with a superuser's privileges: then nothing is refused for lack of a privilege. */
export function bySuperuser(statement: string): string {
  return `SELECT attack.run_as_superuser(${literal(statement)})`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
