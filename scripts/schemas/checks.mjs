// Outputs that hold a memory check: derived from the one schema of it, schemas/check-memory.schema.json.
import { countOrNull, list, object, orNull, output, signed, text, yesOrNo } from './shapes.mjs';

/** What only check-memory itself adds, by --print, --table, --machines and --chart. */
const VIEWS = ['command', 'table', 'machines', 'chart'];
const AMOUNTS = 'Amounts are bytes, contexts are tokens.';

/** Between versions of llama.cpp. */
const STEPS = {
  type: 'array',
  description: 'with several versions of llama.cpp: each model in each of them is in models, in that order',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['model', 'causes'],
    description: 'causes is null, and the rest missing, where one of the two versions was not estimated',
    properties: {
      model: { type: 'string', description: 'as it was typed' },
      from: { type: 'string' },
      to: { type: 'string' },
      bytes: { type: 'integer', description: 'what the later version takes more, on all devices together' },
      causes: {
        type: ['array', 'null'],
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['change', 'what', 'bytes'],
          properties: { change: { type: 'string' }, what: { type: 'string' }, bytes: { type: 'integer' } },
        },
      },
    },
  },
};

export function checkOutputs(checkMemory) {
  const { definitions, required } = checkMemory;
  const properties = without(checkMemory.properties, VIEWS);
  const check = { type: 'object', additionalProperties: false, required, properties };
  const withLargest = {
    ...check,
    required: [...required, 'largestContext'],
    properties: {
      ...properties,
      largestContext: countOrNull(
        'the longest context that the budget holds; null where none does or nothing was estimated',
      ),
    },
  };
  const models = { ...object({ models: list(withLargest) }), definitions };
  const resolved = without(properties.launch.properties, ['accelerator', 'mode']);
  const launch = { ...object(resolved), description: 'what llama-server makes of the command' };
  return [
    output('catalog-check', `Every entry of a catalogue, checked against one machine. ${AMOUNTS}`, models),
    output('compare', `Models side by side on one machine. ${AMOUNTS}`, {
      ...models,
      properties: { ...models.properties, steps: STEPS },
    }),
    output(
      'fit',
      `The best launch of a model; where nothing fits or nothing could be checked, the check of the launch as asked for. ${AMOUNTS}`,
      {
        anyOf: [fitted(launch), check],
        definitions,
      },
    ),
    output(
      'deploy',
      `The check, and what became of the deploy. With --memory-check off there is no check. ${AMOUNTS}`,
      {
        type: 'object',
        additionalProperties: false,
        properties: { ...properties, ...DEPLOYED },
        anyOf: [
          {
            description: 'refused',
            required: [...required, 'error'],
            not: { anyOf: [{ required: ['deploy'] }, { required: ['manifests'] }] },
          },
          { description: '--dry-run client', required: ['manifests'] },
          { description: 'applied, or with --dry-run server would be', required: ['deploy'] },
        ],
        dependencies: { requirementBytes: required },
        definitions,
      },
    ),
  ];
}

const fitted = (launch) =>
  object({
    prefer: { enum: ['quality', 'context'] },
    command: text('as a shell takes it'),
    quantization: text(),
    estimated: yesOrNo("rests on a quantization recipe instead of a file's header"),
    launch,
    cacheRamMiB: countOrNull('the --cache-ram of the command; null where the usual one fits'),
    contextIsWhole: yesOrNo('the context is all that the model was trained with'),
    requirementBytes: countOrNull(),
    headroomBytes: signed(),
    verdict: { enum: ['fits', 'tight'] },
  });

const DEPLOYED = {
  manifests: list(
    object({ apiVersion: text(), kind: text(), metadata: { type: 'object' }, spec: { type: 'object' } }),
    'with --dry-run client: as model.v1alpha1 and inferenceservice.v1alpha1 describe them',
  ),
  deploy: object({
    state: { enum: ['ready', 'stopped', 'applied', 'interrupted', 'dry-run'] },
    resources: list(
      object({
        kind: text(),
        name: text(),
        namespace: text(),
        outcome: { enum: ['created', 'configured', 'unchanged'] },
      }),
    ),
    endpoint: orNull(
      object({ url: text('reachable inside the cluster'), tryIt: list(text(), 'to be run in this order') }),
    ),
  }),
};

function without(properties, names) {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}
