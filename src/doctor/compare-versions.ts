/** Whether a version such as `1.4-1` is `wanted`, such as `1.4`, or later. */
export function isAtLeast(version: string, wanted: string): boolean {
  const have = numbers(version);
  const different = numbers(wanted).findIndex((number, place) => number !== (have[place] ?? 0));
  return different < 0 || (have[different] ?? 0) > (numbers(wanted)[different] ?? 0);
}

function numbers(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
