import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

export interface Version {
  /** What the header calls it. */
  readonly name: string;
  readonly text: string;
}

/** The lines in which two texts differ, as `diff -u` shows them; empty if they are equal. */
export function unifiedDiff(before: Version, after: Version): string {
  if (before.text === after.text) return '';
  return createTwoFilesPatch(
    before.name,
    after.name,
    before.text,
    after.text,
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY },
  ).trimEnd();
}
