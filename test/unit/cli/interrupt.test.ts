import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, test, vi } from 'vitest';
import { InterruptedError, untilInterrupted } from '../../../src/cli/interrupt.js';
import { endableWork, whileEndable } from '../../../src/database/endable-work.js';
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

it('does not begin once it is interrupted', async () => {
  const begun = vi.fn(never);
  await expect(untilInterrupted(AbortSignal.abort('SIGINT'), [], begun)).rejects.toThrow(
    'Interrupted by SIGINT.',
  );
  expect(begun).not.toHaveBeenCalled();
});

it('waits until the server has ended the sessions of the work', async () => {
  const interruption = new AbortController();
  let isEnded = () => {};
  const end = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        isEnded = resolve;
      }),
  );
  const ended = untilInterrupted(interruption.signal, [], () => whileEndable(end, never));
  const settled = vi.fn();
  ended.catch(settled);
  interruption.abort('SIGTERM');
  await vi.waitFor(() => expect(end).toHaveBeenCalledOnce());
  expect(settled).not.toHaveBeenCalled();
  isEnded();
  await expect(ended).rejects.toThrow(
    'Interrupted by SIGTERM. What was under way is rolled back, unless it was just being committed.',
  );
});

it('says so when the server cannot be told', async () => {
  const interruption = new AbortController();
  const end = () => Promise.reject(new Error('too many clients'));
  const ended = untilInterrupted(interruption.signal, [], () => whileEndable(end, never));
  interruption.abort('SIGTERM');
  await expect(ended).rejects.toThrow(
    'The server could not be told (too many clients): it goes on to the end of the statement under way, and then rolls back.',
  );
});

describe('endable work', () => {
  it('ends the sessions that are open, and no others', async () => {
    const ends: string[] = [];
    const session = (name: string) => async () => {
      ends.push(name);
    };
    const work = endableWork(async () => {
      await whileEndable(session('over'), async () => {});
      await whileEndable(session('outer'), () => whileEndable(session('inner'), never));
    });
    endableWork(() => whileEndable(session("another's"), never));
    await new Promise(setImmediate);
    expect(await work.end(1000)).toBeUndefined();
    expect(ends).toEqual(['outer', 'inner']);
  });

  it('ends all it can, one after the other, and says what failed first', async () => {
    const ends: string[] = [];
    const session = (name: string) => async () => {
      ends.push(`${name} begins`);
      await new Promise(setImmediate);
      ends.push(`${name} ends`);
      if (name !== 'last') throw new Error(name);
    };
    const work = endableWork(() =>
      whileEndable(session('first'), () =>
        whileEndable(session('second'), () => whileEndable(session('last'), never)),
      ),
    );
    expect(await work.end(1000)).toEqual(new Error('first'));
    expect(ends).toEqual(
      ['first', 'second', 'last'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  it('does not wait for ever', async () => {
    const work = endableWork(() => whileEndable(never, never));
    expect(await work.end(1)).toEqual(new Error('the server did not end it within 1 ms'));
  });
});

test('an interruption gives exit code 130, in JSON too', async () => {
  const { code, stdout, stderr } = await cli(['status', '--json'], {
    interrupted: AbortSignal.abort('SIGINT'),
  });
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'status',
    ok: false,
    exitCode: 130,
    error: { name: 'InterruptedError' },
  });
  expect(stderr).toContain('Interrupted by SIGINT.');
  expect(code).toBe(130);
});
