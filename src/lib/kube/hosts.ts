import { parseBoundedJson } from '../bounded-json.js';
import type { BudgetPolicy } from '../budget/budget-policy.js';
import type { HostMemory } from '../host/host-memory.js';
import { CORE, objectPath, type ObjectCalls, type PlainObject } from './client/object-calls.js';

/** What an agent publishes of its host; amounts in bytes. */
export interface HostReport {
  readonly agent: string;
  /** Tells machines apart whose agents have one name. */
  readonly instance?: string;
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
  /** What is left for those of them that have rules of their own. */
  readonly overrides?: readonly HostOverride[];
  /** ISO 8601. */
  readonly heartbeat: string;
  /** It has been ended, and says nothing more. */
  readonly ended?: boolean;
  /** What a check of another launch needs: the same figures and rules that the agent itself decides with. */
  readonly check?: HostCheckFigures;
}

/** A service that annotations, or its Model, give another budget than the host's. */
export interface HostOverride {
  readonly service: string;
  /** Who says so, as a message names it. */
  readonly from: string;
  readonly budgetBytes: number;
}

export interface HostCheckFigures {
  readonly cpuArch: 'arm' | 'x86';
  readonly memory: HostMemory;
  readonly policy: BudgetPolicy;
}

/** Heard less long ago, an agent counts as there. */
const FRESH_MS = 180_000;

/** Whether an agent has been heard of lately, and has not said that it ends; one that says it will be in a year has not. */
export function isFresh({ heartbeat, ended }: Pick<HostReport, 'heartbeat' | 'ended'>, now: Date): boolean {
  return ended !== true && Math.abs(now.getTime() - Date.parse(heartbeat)) < FRESH_MS;
}

/** What the agents of a namespace have published. @throws ClusterError */
export async function listHosts(objects: ObjectCalls, namespace: string): Promise<readonly HostReport[]> {
  const found = await objects.list(objectPath(CORE, namespace, 'configmaps'), { labelSelector: HOST_LABEL });
  return found.map(readHostReport).filter((host) => host !== undefined);
}

/** How agents' ConfigMaps are found. */
const HOST_LABEL = 'llmkube.ai/host-agent';
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

/** Where it stands in the API. */
export function hostPath(agent: string, namespace: string): string {
  return objectPath(CORE, namespace, 'configmaps', hostName(agent));
}

/** A name that Kubernetes takes. */
function hostName(agent: string): string {
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
      numbers.every(isFigure) &&
      texts.every((value) => typeof value === 'string') &&
      listOf(report.gpuBudgetBytes, 'number') &&
      report.gpuBudgetBytes?.every(isFigure) === true &&
      listOf(report.services, 'string') &&
      [report.build, report.instance].every((text) => text === undefined || typeof text === 'string');
    if (!good) return undefined;
    const { check, overrides, ...rest } = report as HostReport;
    const known = { ...rest, ...(Array.isArray(overrides) && { overrides: overrides.filter(isOverride) }) };
    return isUsable(check) ? { ...known, check } : known;
  } catch {
    return undefined;
  }
}

function isOverride(value: unknown): value is HostOverride {
  const { service, from, budgetBytes } = (value ?? {}) as Partial<Record<keyof HostOverride, unknown>>;
  return typeof service === 'string' && typeof from === 'string' && Number.isSafeInteger(budgetBytes);
}

/** Figures that cannot be computed with would make any launch fit. */
function isUsable(check: Partial<HostCheckFigures> | undefined): check is HostCheckFigures {
  const memory = (check?.memory ?? {}) as Partial<HostMemory>;
  const { totalBytes, inUseBytes, notes, gpus = [], cgroups = [], gpuWired } = memory;
  const { gpuWiredLimitBytes = 0, promisedBytes = 0, idleBytes = 0 } = memory;
  const { fraction = 1, absoluteBytes = 0 } = (check?.policy ?? {}) as BudgetPolicy;
  const own = [totalBytes, inUseBytes, gpuWiredLimitBytes, promisedBytes, idleBytes, fraction, absoluteBytes];
  if (![gpus, cgroups].every(Array.isArray) || !listOf(notes, 'string') || !(fraction <= 1)) return false;
  const names = [...gpus.map((gpu) => gpu?.name), ...cgroups.map((group) => group?.path)];
  if (!names.every((name) => name === undefined || typeof name === 'string')) return false;
  if (!gpus.every((gpu) => Number.isSafeInteger(gpu?.index))) return false;
  const onGpus = gpus.flatMap((gpu) => [gpu?.totalBytes, gpu?.usedBytes, gpu?.promisedBytes ?? 0]);
  const inGroups = cgroups.flatMap((group) => [group?.limitBytes, group?.inUseBytes, group?.promisedBytes ?? 0]);
  const wired = gpuWired ? [gpuWired.inUseBytes, gpuWired.promisedBytes ?? 0] : [];
  const amounts = [...own, ...onGpus, ...inGroups, ...wired];
  const { from } = (check?.policy ?? {}) as { from?: unknown };
  if (from !== undefined && !(typeof from === 'string' && WHERE_SAID.test(from))) return false;
  return isCpuArch(check?.cpuArch) && amounts.every(isAmount);
}

/** What is left may be below 0; no machine has 2^53 bytes. */
function isFigure(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isAmount(value: unknown): boolean {
  return isFigure(value) && (value as number) >= 0;
}

/** A flag or a variable. */
const WHERE_SAID = /^[\w./ -]{1,200}$/;

function isCpuArch(text: unknown): boolean {
  return text === 'arm' || text === 'x86';
}

function listOf(value: unknown, type: 'number' | 'string'): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
