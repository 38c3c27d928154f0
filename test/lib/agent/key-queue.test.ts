import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { KeyQueue } from '../../../src/lib/agent/key-queue.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A queue whose work ends when it is told how. */
function queueOf() {
  const ends: ((error?: Error) => void)[] = [];
  const work = () => new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
  const queue = new KeyQueue(work, () => undefined);
  const end = async (error?: Error): Promise<void> => {
    ends.at(-1)?.(error);
    await jest.advanceTimersByTimeAsync(0);
  };
  const add = async (key: string): Promise<void> => {
    queue.add(key);
    await jest.advanceTimersByTimeAsync(0);
  };
  return { queue, add, end, begun: () => ends.length };
}

test('what comes up while a key is worked on is done after it, once', async () => {
  const { add, end, begun } = queueOf();
  for (const key of ['a', 'a', 'a']) await add(key);
  expect(begun()).toBe(1);
  await end();
  expect(begun()).toBe(2);
  await end();
  expect(begun()).toBe(2);
});

test('what fails is tried again after a second, then after two; success makes it a first failure again', async () => {
  const { add, end, begun } = queueOf();
  const triedAfter = async (ms: number): Promise<void> => {
    const before = begun();
    await end(new Error('no'));
    await jest.advanceTimersByTimeAsync(ms - 1);
    expect(begun()).toBe(before);
    await jest.advanceTimersByTimeAsync(1);
    expect(begun()).toBe(before + 1);
  };
  await add('a');
  await triedAfter(1000);
  await triedAfter(2000);
  await end();
  await add('a');
  await triedAfter(1000);
});

test('a queue that was stopped begins nothing, and has ended with what was under way', async () => {
  const { queue, add, end, begun } = queueOf();
  await add('a');
  await add('a');
  const stopped = queue.stop();
  await add('b');
  await end();
  await stopped;
  expect(begun()).toBe(1);
});
