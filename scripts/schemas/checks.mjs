// Outputs that hold a memory check: derived from the one schema of it, schemas/check-memory.schema.json.
import { count, countOrNull, list, object, orNull, output, signed, text, textOrNull, yesOrNo } from './shapes.mjs';

/** What only check-memory itself adds, by --print, --table, --savings, --machines and --chart, and what others have not worked out. */
const VIEWS = ['command', 'table', 'savings', 'machines', 'chart', 'largestContext'];
const AMOUNTS = 'Amounts are bytes, contexts are tokens.';

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
  const steps = list(
    object({ model: text(), causes: { type: ['array', 'null'] } }, { from: text(), to: text(), bytes: signed() }),
    'with several versions in --llama-cpp: what changed from one to the next, a model after the other; null where that is not known',
  );
  const anyLargest = { ...withLargest, required };
  const comparison = { ...object({ models: list(anyLargest) }, { together: orNull(TOGETHER), steps }), definitions };
  const resolved = without(properties.launch.properties, ['accelerator', 'mode']);
  const launch = { ...object(resolved), description: 'what llama-server makes of the command' };
  return [
    output('catalog-check', `Every entry of a catalogue, checked against one machine. ${AMOUNTS}`, models),
    output('compare', `Models side by side on one machine. ${AMOUNTS}`, comparison),
    output(
      'fit',
      `The best launch of a model; where nothing fits or nothing could be checked, the check of the launch as asked for. ${AMOUNTS}`,
      {
        anyOf: [fitted(launch), check],
        definitions,
      },
    ),
    output('cluster-check', `check-memory and fit with --cluster: every host that an agent has published. ${AMOUNTS}`, {
      ...object({ hosts: list(hostChecked(check, fitted(launch))) }),
      definitions,
    }),
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
    command: textOrNull('as a shell takes it; null where there is none'),
    quantization: text(),
    estimated: yesOrNo("rests on a quantization recipe instead of a file's header"),
    launch,
    cacheRamMiB: countOrNull('the --cache-ram of the command; null where the usual one fits'),
    contextIsWhole: yesOrNo('the context is all that the model was trained with'),
    missedContext: countOrNull('tokens asked for, where they are more than the launch has; null otherwise'),
    requirementBytes: countOrNull(),
    headroomBytes: signed(),
    limits: list({ $ref: '#/definitions/limit' }, 'every memory, the one with the least to spare first'),
    verdict: { enum: ['fits', 'tight'] },
    warnings: list(text(), 'what makes it tight, and notes worth a person’s attention'),
  });

const VERDICT = { enum: ['fits', 'tight', 'does-not-fit'] };

const TOGETHER = object(
  {
    verdict: VERDICT,
    limits: list(
      object(
        {
          name: { enum: ['memory', 'gpu'] },
          requiredBytes: count('of all models together'),
          budgetBytes: signed(),
          headroomBytes: signed(),
        },
        { gpu: count('its number, where there are several') },
      ),
    ),
    sets: list(
      object({ models: list(text()), verdict: VERDICT, headroomBytes: signed() }),
      'where all are too much: the sets that fit and to which none can be added, at most five',
    ),
  },
  {},
  'with --together: all at once, each in a llama-server of its own; null where not all could be checked',
);

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

/** `check` of check-memory, `fit` of fit; neither of a host that could not be checked. */
function hostChecked(check, fit) {
  const always = {
    agent: text('the host'),
    accelerator: text(),
    heartbeat: text('when its agent was last heard of, ISO 8601'),
    verdict: { enum: ['fits', 'tight', 'does-not-fit', 'unknown'] },
  };
  const reason = text('why there is no check');
  return { ...object(always), properties: { ...always, reason, check, fit } };
}
