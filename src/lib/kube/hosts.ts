import { parseBoundedJson } from '../bounded-json.js';
import type { PlainObject } from './client/object-calls.js';

/** What an agent publishes of its host; amounts in bytes. */
export interface HostReport {
  readonly agent: string;
  readonly accelerator: string;
  readonly totalBytes: number;
  /** By others than what is promised. */
  readonly inUseBytes: number;
  readonly promisedBytes: number;
  /** What is left of the budget; below 0 when more is in use than it allows. */
  readonly budgetBytes: number;
  /** What is left on each GPU, where the host has any with memory of their own or a limit. */
  readonly gpuBudgetBytes: readonly number[];
  readonly build: string | undefined;
  readonly services: readonly string[];
  /** ISO 8601. */
  readonly heartbeat: string;
}

/** How agents' ConfigMaps are found. */
export const HOST_LABEL = 'llmkube.ai/host-agent';
const DATA_KEY = 'host.json';

/** The ConfigMap in which an agent says what its host has. */
export function hostConfigMap(report: HostReport, namespace: string): PlainObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: hostName(report.agent), namespace, labels: { [HOST_LABEL]: 'true' } },
    data: { [DATA_KEY]: JSON.stringify(report) },
  };
}

/** A name that Kubernetes takes. */
export function hostName(agent: string): string {
  return `llmkube-host-${agent.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`.slice(0, 63).replace(/-+$/, '');
}

/** Undefined for one that no agent wrote, or that somebody has changed beyond use. */
export function readHostReport({ data }: PlainObject): HostReport | undefined {
  try {
    const text = (data as Readonly<Record<string, string>> | undefined)?.[DATA_KEY] ?? '';
    const report = parseBoundedJson(text) as Partial<HostReport>;
    const numbers = [report.totalBytes, report.inUseBytes, report.promisedBytes, report.budgetBytes];
    const texts = [report.agent, report.accelerator, report.heartbeat];
    const good =
      numbers.every((value) => typeof value === 'number') &&
      texts.every((value) => typeof value === 'string') &&
      listOf(report.gpuBudgetBytes, 'number') &&
      listOf(report.services, 'string') &&
      (report.build === undefined || typeof report.build === 'string');
    return good ? (report as HostReport) : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown, type: 'number' | 'string'): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
