/** Something of ours, or on something of ours, as the catalogue has it. */
export interface ListedObject {
  readonly kind: string;
  /** As SQL has it, with its schema. */
  readonly identity: string;
  /** The keys of what contains it: it is gone with them, and named with them. */
  readonly parents: readonly string[];
  readonly definition: string;
  /** Of the definition, what all versions of PostgreSQL print alike; null: all of it. */
  readonly verbatim: string | null;
  /** What was made later comes later. */
  readonly position: number;
  /** Whether this transaction wrote its row of the catalogue. */
  readonly written: boolean;
  /** Whether this transaction gave it its definition, maybe the same as before. */
  readonly rewritten: boolean;
  readonly owner: string | null;
}

export function keyOf({ kind, identity }: Pick<ListedObject, 'kind' | 'identity'>): string {
  return `${kind} ${identity}`;
}
