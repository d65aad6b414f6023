import { expect, it } from 'vitest';
import { readReleased } from '../../../tools/migrations/released.js';
import { sourceProblems } from '../../../tools/migrations/source-problems.js';
import { readStreamSources } from '../../../tools/migrations/stream-source.js';

it('the migrations of this package pin what its routines say, and what is released is unchanged', async () => {
  const root = process.cwd();
  expect(sourceProblems(await readStreamSources(root), await readReleased(root))).toEqual([]);
});
