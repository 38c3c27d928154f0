import { describe, expect, test } from '@jest/globals';
import { Contact, Unreached } from '../../../../src/lib/source/http/contact.js';

const POLICY = { attempts: 5, firstDelayMs: 1, maxDelayMs: 1, maxRetryAfterMs: 1 };

function failure(code: string): Unreached {
  return new Unreached(Object.assign(new Error(code), { code }));
}

/** A host that lets connections come about as the list says, one attempt after another: null, or what goes wrong. */
function host(fates: readonly (string | null)[], patienceMs = 60_000) {
  const contact = new Contact(POLICY, patienceMs);
  let attempts = 0;
  const connect = (signal?: AbortSignal) =>
    contact.through(async (connected) => {
      const fate = fates[attempts++];
      await new Promise((resolve) => setImmediate(resolve));
      if (fate !== null) throw failure(fate ?? 'NO_MORE');
      connected();
      return 'connected';
    }, signal);
  const outcome = (signal?: AbortSignal) => connect(signal).catch((error: { code: string }) => error.code);
  return { outcome, attempts: () => attempts };
}

function many<T>(count: number, one: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, one));
}

describe('what the readings of a command know of a host', () => {
  test('one tries whether it can be connected to, and what is found is true for all that wait', async () => {
    const { outcome, attempts } = host(['ECONNREFUSED']);
    expect(new Set(await many(50, outcome))).toEqual(new Set(['ECONNREFUSED']));
    expect(await outcome()).toBe('ECONNREFUSED');
    expect(attempts()).toBe(1);
  });

  test('what may pass is tried as often as the policy says, by all of them together', async () => {
    const { outcome, attempts } = host(Array.from({ length: 9 }, () => 'EAI_AGAIN'));
    expect(new Set(await many(50, outcome))).toEqual(new Set(['EAI_AGAIN']));
    expect(attempts()).toBe(5);
  });

  test('what passes keeps nobody from being answered', async () => {
    const { outcome, attempts } = host(['EAI_AGAIN', 'ETIMEDOUT', ...Array.from({ length: 50 }, () => null)]);
    expect(new Set(await many(50, outcome))).toEqual(new Set(['connected']));
    expect(attempts()).toBe(52);
  });

  test('a connection makes failures before it forgotten', async () => {
    const fates = Array.from({ length: 4 }, () => 'EAI_AGAIN');
    const { outcome } = host([...fates, null, ...fates, null]);
    expect([await outcome(), await outcome()]).toEqual(['connected', 'connected']);
  });

  test('an attempt that fails after a host was given up does not begin to count anew', async () => {
    const contact = new Contact(POLICY, 60_000);
    let attempts = 0;
    const fails = (code: string, when: Promise<void>) =>
      contact
        .through(async () => {
          attempts++;
          await when;
          throw failure(code);
        }, undefined)
        .catch((error: { code: string }) => error.code);
    await contact.through(async (connected) => connected(), undefined);
    let breaks: () => void = () => undefined;
    const slow = fails('ECONNRESET', new Promise((resolve) => (breaks = resolve)));
    expect(await fails('EAI_AGAIN', Promise.resolve())).toBe('EAI_AGAIN');
    breaks();
    expect(await slow).toBe('EAI_AGAIN');
    // Five that nobody answered, and the slow one.
    expect(attempts).toBe(6);
  });

  test('a server that was there and is started again is waited for', async () => {
    const { outcome } = host([null, 'ECONNREFUSED', 'ECONNREFUSED', null]);
    expect([await outcome(), await outcome()]).toEqual(['connected', 'connected']);
  });

  test('a server that was there and does not come back is given up', async () => {
    const { outcome, attempts } = host([null, ...Array.from({ length: 9 }, () => 'ECONNREFUSED')]);
    expect([await outcome(), await outcome(), await outcome()]).toEqual(['connected', 'ECONNREFUSED', 'ECONNREFUSED']);
    expect(attempts()).toBe(6);
  });

  test('connections that break together are one failure', async () => {
    const { outcome, attempts } = host([
      null,
      ...Array.from({ length: 6 }, () => 'ETIMEDOUT'),
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
    await outcome();
    expect(new Set(await many(6, outcome))).toEqual(new Set(['connected']));
    expect(attempts()).toBe(13);
  });

  test('a host that is tried for long is given up after the second attempt', async () => {
    const { outcome, attempts } = host(['ETIMEDOUT', 'ETIMEDOUT', null], 0);
    expect(await outcome()).toBe('ETIMEDOUT');
    expect(attempts()).toBe(2);
  });

  test('who waits for another one can be stopped, and nobody else is', async () => {
    const { outcome } = host([null, null]);
    const controller = new AbortController();
    const outcomes = [outcome(), outcome(controller.signal)];
    controller.abort();
    expect(await Promise.all(outcomes)).toEqual(['connected', 'SOURCE_CANCELLED']);
  });
});
