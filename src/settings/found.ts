/** A variable's value, and where it comes from. */
export interface Found {
  readonly value: string;
  /** Where the requested variable gets it from: "environment", ".env", "from DB_HOST", "default". */
  readonly source: string;
  /** Where `origin` gets it from: the end of that chain. */
  readonly place: string;
  /** The variable that was set to this value: the one to correct when it is wrong. */
  readonly origin: string;
}

export function quoted({ value, place }: Found): string {
  return `${JSON.stringify(value)} (${place})`;
}
