import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveHttp } from '../../../src/lib/agent/http-server.js';
import { createMetrics, type ServiceFigures } from '../../../src/lib/agent/metrics.js';

let server: Server;
let problem: string | undefined;
let services: readonly ServiceFigures[];

beforeEach(async () => {
  problem = undefined;
  services = [];
  const registry = createMetrics({
    services: () => services,
    budgetBytes: async () => 2 ** 30,
    watchFailures: () => 3,
    pressureLevel: () => 2,
    availableBytes: async () => undefined,
  });
  server = await serveHttp(0, {
    notReady: () => problem,
    metrics: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  });
});
afterEach(() => void server.close());

async function ask(path: string): Promise<readonly [status: number, text: string]> {
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return [answer.status, await answer.text()];
}

test('listens on this machine alone', () => {
  expect((server.address() as AddressInfo).address).toBe('127.0.0.1');
});

test('is alive whatever the cluster does, and ready only while that answers', async () => {
  expect(await ask('/readyz')).toEqual([200, 'ok\n']);
  problem = 'the Kubernetes API is not reachable';
  expect(await ask('/readyz')).toEqual([503, 'the Kubernetes API is not reachable\n']);
  expect(await ask('/healthz')).toEqual([200, 'ok\n']);
  expect((await ask('/elsewhere'))[0]).toBe(404);
});

test('metrics have the names of LLMKube’s own agent, a service by its name and namespace, and forget those that are gone', async () => {
  const figures = { healthy: true, restarts: 2, estimatedBytes: 7, measuredBytes: 6, residentBytes: undefined };
  services = [{ key: 'models/qwen', running: true, ...figures }];
  const lines = (await ask('/metrics'))[1].split('\n');
  const of = (name: string) => lines.filter((line) => line.startsWith(`llmkube_metal_agent_${name}`));
  expect(of('managed_processes')).toEqual(['llmkube_metal_agent_managed_processes 1']);
  expect(of('memory_budget_bytes')).toEqual(['llmkube_metal_agent_memory_budget_bytes 1073741824']);
  expect(of('memory_pressure_level')).toEqual(['llmkube_metal_agent_memory_pressure_level 2']);
  expect(of('watch_consecutive_failures')).toEqual(['llmkube_metal_agent_watch_consecutive_failures 3']);
  const labels = '{namespace="models",name="qwen"}';
  expect(of('process_healthy')).toEqual([`llmkube_metal_agent_process_healthy${labels} 1`]);
  expect(of('process_restarts_total')).toEqual([`llmkube_metal_agent_process_restarts_total${labels} 2`]);
  expect(of('memory_estimated_bytes')).toEqual([`llmkube_metal_agent_memory_estimated_bytes${labels} 7`]);
  expect(of('process_rss_bytes')).toEqual([]);
  services = [];
  expect((await ask('/metrics'))[1]).not.toContain('qwen');
});
