import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, test } from 'vitest';
import { InterruptedError, untilInterrupted } from '../../../src/cli/interrupt.js';
import { cli } from './fake-world.js';

const never = () => new Promise<never>(() => {});

it('ends with the work when nothing interrupts it', async () => {
  expect(await untilInterrupted(new AbortController().signal, [], async () => 'done')).toBe('done');
});

it('abandons work that has not said how to stop it', async () => {
  const interruption = new AbortController();
  const ended = untilInterrupted(interruption.signal, [], never);
  interruption.abort();
  await expect(ended).rejects.toThrow(InterruptedError);
});

it('lets work that can be stopped end by itself', async () => {
  const interruption = new AbortController();
  let stop = () => {};
  const work = new Promise<string>((resolve) => {
    stop = () => resolve('stopped');
  });
  const stops = [
    async () => {
      stop();
      await sleep(1);
    },
  ];
  const ended = untilInterrupted(interruption.signal, stops, () => work);
  interruption.abort();
  expect(await ended).toBe('stopped');
});

it('abandons work that cannot be stopped after all', async () => {
  const interruption = new AbortController();
  const stop = () => Promise.reject(new Error('no connection'));
  const ended = untilInterrupted(interruption.signal, [stop], never);
  interruption.abort();
  await expect(ended).rejects.toThrow(InterruptedError);
});

test('Ctrl-C gives exit code 130, in JSON too', async () => {
  const { code, stdout, stderr } = await cli(['status', '--json'], {
    interrupted: AbortSignal.abort(),
  });
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'status',
    ok: false,
    exitCode: 130,
    error: { name: 'InterruptedError' },
  });
  expect(stderr).toContain('Interrupted.');
  expect(code).toBe(130);
});
