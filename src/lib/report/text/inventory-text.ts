import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import { cleanLines, cleanText } from '../../kube/client/clean-text.js';
import type { Deletion, Deployment } from '../../kube/inventory.js';
import { explain, schedulingReason } from '../../kube/deploy/deploy-state.js';
import { fieldsChangedSince } from '../../kube/deploy/foreign-fields.js';
import { recordedCheck, type RecordedCheck } from '../../kube/recorded-check.js';
import { hostRecord, type HostRecord } from '../../kube/host-record.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns } from '../layout/columns.js';
import { resourceName } from '../json/manifests.js';

/** As kubectl sets columns apart. */
const GAP = '   ';
const NOTHING = '-';
const LABEL_WIDTH = 13;
/** A value's further lines stand below its first. */
const FURTHER = `\n${' '.repeat(2 + LABEL_WIDTH)}`;

export function servicesTable(services: readonly InferenceServiceResource[], allNamespaces: boolean): string {
  const rows = services.map((service) => {
    const { metadata, spec, status } = service;
    return [
      ...(allNamespaces ? [metadata.namespace] : []),
      metadata.name,
      spec.modelRef || NOTHING,
      status?.phase ?? NOTHING,
      `${status?.readyReplicas ?? 0}/${status?.desiredReplicas ?? spec.replicas ?? 1}`,
      checkWord(service),
      schedulingReason(service) || NOTHING,
      cleanText(status?.endpoint ?? '') || NOTHING,
    ];
  });
  const heading = ['NAME', 'MODEL', 'PHASE', 'REPLICAS', 'CHECK', 'REASON', 'ENDPOINT'];
  return formatTable([...(allNamespaces ? ['NAMESPACE'] : []), ...heading], rows);
}

export function modelsTable(models: readonly ModelResource[], allNamespaces: boolean, now: Date): string {
  const rows = models.map(({ metadata, spec, status }) => [
    ...(allNamespaces ? [metadata.namespace] : []),
    metadata.name,
    status?.phase ?? NOTHING,
    cleanText(status?.size ?? '') || NOTHING,
    spec.hardware?.accelerator ?? 'cpu',
    age(metadata.creationTimestamp, now),
  ]);
  return formatTable([...(allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'PHASE', 'SIZE', 'ACCELERATOR', 'AGE'], rows);
}

function phaseOf(resource: { readonly status?: { readonly phase?: string } } | undefined): string {
  const { phase } = resource?.status ?? {};
  return phase === undefined ? (resource ? 'not yet seen by the operator' : 'missing') : cleanText(phase);
}

/** What was estimated before the deploy, beside what agent and operator report now. */
export function deploymentText({ name, namespace, model, service }: Deployment): string {
  const check = recordedCheck(service ?? model);
  return [
    `${name} in namespace ${namespace}`,
    '',
    ...section('Model', [
      ['phase', phaseOf(model)],
      ['source', cleanText(model?.spec.source ?? '')],
      ['size', cleanText(model?.status?.size ?? '')],
      ['accelerator', cleanText(model?.spec.hardware?.accelerator ?? '')],
      ['reason', model ? explain(model) : ''],
    ]),
    ...section('Service', [
      ['phase', phaseOf(service)],
      [
        'replicas',
        service
          ? `${service.status?.readyReplicas ?? 0} of ${service.status?.desiredReplicas ?? service.spec.replicas} ready`
          : '',
      ],
      ['endpoint', cleanText(service?.status?.endpoint ?? '')],
    ]),
    ...section('Memory', [
      ['estimate', check ? estimateLine(check) : 'not recorded: deployed without this program'],
      ['on the GPU', check ? gpuLine(check) : ''],
      ['holds for', check ? launchLine(check) : ''],
      ['changed', check ? changedLines([model, service]) : ''],
      ['container', service ? containerLine(service, check) : ''],
      ['reported', service ? reportedLine(service) : ''],
    ]),
    ...hostSection(hostRecord(service)),
  ]
    .join('\n')
    .trimEnd();
}

export function deletionLine({ kind, name, outcome, usedBy }: Deletion): string {
  if (outcome === 'kept')
    return `${resourceName(kind, name)} kept: ${usedBy.join(', ')} still use${usedBy.length === 1 ? 's' : ''} it`;
  return `${resourceName(kind, name)} ${outcome === 'missing' ? 'was not there' : outcome}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const filled = rows.filter(([, value]) => value !== '');
  return [
    title,
    ...filled.map(([label, value]) => `  ${label.padEnd(LABEL_WIDTH)}${value.replaceAll('\n', FURTHER)}`),
    '',
  ];
}

/** What the agent says that has taken it. */
function hostSection(host: HostRecord | undefined): string[] {
  if (host === undefined) return [];
  const said = (one: HostRecord['fit']): string =>
    one === undefined ? '' : `${cleanText(one.reason)}: ${cleanLines(one.message)}`;
  const parts = host.parts.map(
    ({ name, device, bytes }) => `${cleanText(name)} ${formatSize(bytes)} (${cleanText(device)})`,
  );
  return section('Host', [
    [
      'agent',
      `${cleanText(host.agent)}${host.heartbeat === undefined ? '' : `, last heard ${cleanText(host.heartbeat)}`}`,
    ],
    ['memory', said(host.fit)],
    ['server', said(host.server)],
    ['promised', host.requiredBytes === undefined ? '' : `${formatSize(host.requiredBytes)}: ${parts.join(', ')}`],
  ]);
}

function estimateLine({ verdict, mode, version, reason, requiredBytes, budgetBytes }: RecordedCheck): string {
  const by = `--memory-check ${mode ?? '?'}, llmkube ${version ?? '?'}`;
  return `${[verdict, amounts(requiredBytes, budgetBytes), reason && cleanText(reason)].filter(Boolean).join(', ')} (${by})`;
}

function gpuLine({ gpuRequiredBytes, gpuBudgetBytes }: RecordedCheck): string {
  return amounts(gpuRequiredBytes, gpuBudgetBytes);
}

function amounts(required: number | undefined, budget: number | undefined): string {
  if (required === undefined || budget === undefined) return '';
  return `${formatSize(required)} of ${formatSize(budget)}`;
}

function launchLine({ contextSize, slots }: RecordedCheck): string {
  if (contextSize === undefined || slots === undefined) return '';
  return `${contextSize} tokens in ${slots} slot${slots === 1 ? '' : 's'}`;
}

/** In place of the verdict where it is about another launch. */
function checkWord(service: InferenceServiceResource): string {
  const check = recordedCheck(service);
  if (check === undefined) return NOTHING;
  return fieldsChangedSince(service).length > 0 ? 'changed' : check.verdict;
}

/** Why the estimate is not about what would run. */
function changedLines(resources: readonly (ModelResource | InferenceServiceResource | undefined)[]): string {
  const fields = resources.flatMap((resource) => (resource === undefined ? [] : fieldsChangedSince(resource)));
  if (fields.length === 0) return '';
  const lines = fields.map((changed) => {
    const { kind, field, owner } = changed;
    const how = owner === undefined ? 'was taken out' : `= ${JSON.stringify(changed.value)} (set by ${owner})`;
    return `${kind} ${field} ${how}`;
  });
  return cleanLines(['since the check, which does not hold for it:', ...lines].join('\n'));
}

function containerLine({ spec }: InferenceServiceResource, check: RecordedCheck | undefined): string {
  const limit = check?.containerLimitBytes;
  const { memory, memoryLimit } = spec.resources ?? {};
  if (memory === undefined) return '';
  const growth = limit === undefined ? '' : `, can grow to ${formatSize(limit)}`;
  return `requests ${memory}${memoryLimit === undefined ? '' : `, limit ${memoryLimit}`}${growth}`;
}

function reportedLine(service: InferenceServiceResource): string {
  const reason = schedulingReason(service);
  const message = explain(service);
  // Below, the agent's own condition says the same.
  if (message !== '' && message === cleanLines(hostRecord(service)?.fit?.message ?? '')) return reason || 'see below';
  return [reason, message].filter((part) => part !== '').join(': ') || 'nothing against it';
}

function age(created: string | undefined, now: Date): string {
  const seconds = (now.getTime() - Date.parse(created ?? '')) / 1000;
  if (!(seconds >= 0)) return NOTHING;
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds >= length * 2) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return alignColumns([heading, ...rows], [], GAP).join('\n');
}
