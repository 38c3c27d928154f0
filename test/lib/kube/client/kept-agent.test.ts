import { afterEach, expect, test } from '@jest/globals';
import { Agent } from 'node:https';
import { KeptAgent } from '../../../../src/lib/kube/client/kept-agent.js';

const made: Agent[] = [];
afterEach(() => made.splice(0).forEach((agent) => agent.destroy()));
const fresh = (options: ConstructorParameters<typeof Agent>[0]): Agent => {
  const agent = new Agent(options);
  made.push(agent);
  return agent;
};

const { signal } = new AbortController();

test('requests with the same credentials share connections that stay open, and others have their own', () => {
  const agents = new KeptAgent();
  const first = agents.kept(fresh({ ca: 'a', cert: Buffer.from('c'), rejectUnauthorized: true }), signal);
  expect((first as Agent | undefined)?.options).toMatchObject({ keepAlive: true, ca: 'a', rejectUnauthorized: true });
  expect(agents.kept(fresh({ ca: 'a', cert: Buffer.from('c'), rejectUnauthorized: true }), signal)).toBe(first);
  const renewed = agents.kept(fresh({ ca: 'a', cert: Buffer.from('d'), rejectUnauthorized: true }), signal);
  expect(renewed).not.toBe(first);
  expect(agents.kept(fresh({ ca: 'a', cert: Buffer.from('d'), rejectUnauthorized: false }), signal)).not.toBe(renewed);
});

test('what goes through a proxy, or without TLS, has connections of its own', () => {
  class ProxyAgent extends Agent {}
  const proxy = new ProxyAgent({});
  made.push(proxy);
  expect(new KeptAgent().kept(proxy, signal)).toBe(proxy);
  expect(new KeptAgent().kept(undefined, signal)).toBeUndefined();
});
