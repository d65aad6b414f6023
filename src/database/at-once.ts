/**
 * Does these at the same time, each over a connection of its own; the results are in their order. When all have ended,
 * raises the first failure in that order: nothing is under way any more on any of the connections.
 */
export async function atOnce<T extends readonly (() => Promise<unknown>)[]>(
  ...parts: T
): Promise<{ -readonly [P in keyof T]: Awaited<ReturnType<T[P]>> }> {
  const outcomes = await Promise.allSettled(parts.map((part) => part()));
  const results = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return results as { -readonly [P in keyof T]: Awaited<ReturnType<T[P]>> };
}
