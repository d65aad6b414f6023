/** Whether both hold the same elements, each once. */
export function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const elements = new Set(left);
  return (
    elements.size === left.length &&
    left.length === right.length &&
    right.every((element) => elements.delete(element))
  );
}
