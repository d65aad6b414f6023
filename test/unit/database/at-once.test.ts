import { expect, it } from 'vitest';
import { atOnce } from '../../../src/database/at-once.js';

it('begins all before the first has ended, and returns what each gave in their order', async () => {
  let begun: (value: string) => void = () => {};
  const second = new Promise<string>((resolve) => {
    begun = resolve;
  });
  const results = await atOnce(
    async () => `after ${await second}`,
    async () => {
      begun('the second');
      return 2;
    },
  );
  expect(results).toEqual(['after the second', 2]);
});

it('raises the first failure in their order, once all have ended', async () => {
  const ended: string[] = [];
  const failing = (name: string, turns: number) => async () => {
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    ended.push(name);
    throw new Error(name);
  };
  await expect(atOnce(failing('work', 20), failing('cron', 0))).rejects.toThrow('work');
  expect(ended).toEqual(['cron', 'work']);
});
