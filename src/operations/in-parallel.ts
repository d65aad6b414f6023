/** The results in the order of the items, at most `limit` of which are under way at a time. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  use: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await use(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
