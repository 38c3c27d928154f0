// Outputs about what a cluster has, which share what is recorded of a check.
import { asTheClusterSays, count, list, object, orNull, output, text, textOrNull, yesOrNo } from './shapes.mjs';

const NAMED = { name: text(), namespace: text() };
const ref = (name) => ({ $ref: `#/definitions/${name}` });

/** All of it from annotations, which anybody can edit; what is missing there is missing here. */
const definitions = {
  recordedCheck: {
    description: 'what the annotations say of the check that let it in; amounts are bytes',
    ...object(
      { verdict: text('as check-memory says it, or skipped') },
      {
        mode: text('of --memory-check'),
        version: text('of llmkube'),
        reason: text('why it could not be checked'),
        contextSize: count('tokens'),
        slots: count(),
        requiredBytes: count(),
        budgetBytes: count(),
        gpuRequiredBytes: count(),
        gpuBudgetBytes: count(),
        containerLimitBytes: count(),
      },
    ),
  },
  changed: {
    description: 'what others have set since of what decides the memory: the check does not hold for it',
    ...list(
      object({ kind: { enum: ['InferenceService', 'Model'] }, field: text('as spec.parallelSlots'), owner: text() }),
    ),
  },
};

const said = object({ reason: text(), message: text() });
const host = {
  description: 'what the agent of a host says of it; amounts are bytes',
  ...object(
    { agent: text(), parts: list(object({ name: text(), device: text(), bytes: count() })) },
    { heartbeat: text(), fit: said, server: said, requiredBytes: count() },
  ),
};

const listed = {
  services: list(
    object({
      ...NAMED,
      model: text(),
      check: orNull(ref('recordedCheck')),
      changed: ref('changed'),
      status: asTheClusterSays,
    }),
  ),
  models: list(object({ ...NAMED, source: text(), accelerator: text(), status: asTheClusterSays })),
};

export const clusterOutputs = [
  output('list', 'The services of a namespace, or with "list models" its models.', {
    oneOf: [object({ services: listed.services }), object({ models: listed.models })],
    definitions,
  }),
  output('status', 'What was checked before a deploy, beside what cluster and agent say now.', {
    ...object({
      ...NAMED,
      check: orNull(ref('recordedCheck')),
      changed: ref('changed'),
      host: orNull(host),
      model: orNull(object({ source: text(), status: asTheClusterSays })),
      service: orNull(object({ model: text(), resources: asTheClusterSays, status: asTheClusterSays })),
    }),
    definitions,
  }),
  output(
    'delete',
    'What was deleted, and what not.',
    object({
      deletions: list(
        object({
          kind: { enum: ['InferenceService', 'Model'] },
          ...NAMED,
          outcome: { enum: ['deleted', 'kept', 'missing'] },
          usedBy: list(text(), 'services that a model is kept for'),
        }),
      ),
      cacheKey: textOrNull("with --purge-cache: the folder of the model's file in the operator's cache"),
    }),
  ),
  output(
    'hosts',
    'The hosts whose agents run services of the cluster. Amounts are bytes.',
    object({
      hosts: list(
        object(
          {
            agent: text(),
            accelerator: text(),
            totalBytes: count(),
            inUseBytes: count('by others than what is promised'),
            promisedBytes: count(),
            budgetBytes: {
              type: 'integer',
              description: 'what is left; below 0 when more is in use than the budget allows',
            },
            gpuBudgetBytes: list({ type: 'integer' }, 'what is left on each GPU'),
            services: list(text()),
            heartbeat: text('ISO 8601'),
            fresh: yesOrNo('an agent has been heard of lately'),
          },
          {
            build: text('of llama-server'),
            overrides: list(
              object({ service: text(), from: text('the annotation or field'), budgetBytes: { type: 'integer' } }),
              'services with a budget of their own, and what is left of it',
            ),
          },
        ),
      ),
    }),
  ),
];

export const agentOutputs = [
  output(
    'agent-install',
    'The file that keeps the agent running; with --dry-run it is not written.',
    object({ file: text(), text: text() }),
  ),
  output('agent-uninstall', 'Whether there was anything to remove.', object({ file: text(), removed: yesOrNo() })),
  output(
    'agent-status',
    'Whether the agent of this machine is installed and answers.',
    object({
      installed: yesOrNo(),
      file: text('that keeps it running'),
      ready: yesOrNo(),
      answer: textOrNull('of /readyz; null where nothing answers'),
    }),
  ),
  output('agent-manifests', 'What an agent needs in the cluster, ready to be applied.', {
    type: 'array',
    items: { type: 'object', required: ['apiVersion', 'kind', 'metadata'] },
  }),
];
