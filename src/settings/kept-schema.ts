const SUFFIX = '_kept';

/** So many bytes a name of our schema may have at most less than any other. */
export const KEPT_SUFFIX_BYTES = SUFFIX.length;

/** The schema beside ours in the work database where `down` puts tables that hold rows. */
export function keptSchemaName(schema: string): string {
  return `${schema}${SUFFIX}`;
}

export function isKeptSchemaName(schema: string): boolean {
  return schema.endsWith(SUFFIX);
}
