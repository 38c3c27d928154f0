// Outputs about what lies on this machine: the catalogue and the cache; and what every command prints when it fails.
import { count, countOrNull, list, object, output, text, textOrNull } from './shapes.mjs';

const entry = object({
  id: text(),
  name: text(),
  description: text(),
  aliases: list(text()),
  use_cases: list(text()),
  size: text('parameters as people say them, such as 30B-A3B'),
  quantization: textOrNull(),
  mode: { enum: ['chat', 'embedding', 'rerank'] },
  context_size: countOrNull('tokens that a deployment gets where it names no context'),
  gpu_layers: { type: 'integer', description: '-1 = all' },
  vram_estimate: textOrNull('what it takes, from a context of 8192 tokens to its own'),
  resources: object({ cpu: textOrNull(), memory: textOrNull(), gpu_memory: textOrNull() }),
  source: text(),
  mmproj: textOrNull('the projector that belongs to it, as a source'),
  draft: textOrNull('the draft model that it is served with, as a source'),
  spec_type: textOrNull('how it drafts, as --spec-type has it'),
  homepage: textOrNull(),
});
const usage = { path: text(), entries: count(), bytes: count() };

const told = (schema) => ({ anyOf: [schema, object({ problem: text('why it could not be told') })] });
const programs = list(object({ name: text(), bytes: count() }), 'largest first');
const doctor = object({
  llmkube: object({ version: text(), node: text(), system: text() }),
  accelerator: object({ name: text(), gpus: list(text()), foundBy: textOrNull('what told the GPUs') }),
  memory: told(
    object({
      totalBytes: count(),
      inUseBytes: count(),
      budgetBytes: { type: 'integer', description: 'left of the default budget' },
      limits: list(object({ name: text(), limitBytes: count(), inUseBytes: count() })),
      pressure: textOrNull(),
      notes: list(text()),
    }),
  ),
  programs: object({ largest: programs, engines: programs }),
  ledger: told(object({ promisedBytes: count(), entries: count(), warning: textOrNull() })),
  llamaServer: { anyOf: [told(object({ path: text(), version: textOrNull() })), { type: 'null' }] },
  cache: object(usage),
  environment: {
    type: 'object',
    additionalProperties: text(),
    description: 'host and port of proxies; of others that they are set',
  },
  cluster: told(object({ context: text(), server: text('host and port') })),
});

export const storedOutputs = [
  output('doctor', 'What this program sees of this machine, without anything secret. Amounts are bytes.', doctor),
  output('version', 'Which version this is.', object({ llmkube: text(), node: text(), llamaCpp: text() })),
  output('catalog-list', 'The entries of a catalogue by id, spelled as in its file.', object({ models: list(entry) })),
  output('catalog-info', 'One entry of a catalogue, spelled as in its file.', entry),
  output('cache-info', 'What the cache of headers holds.', object(usage)),
  output('cache-clear', 'What was removed from the cache of headers.', object({ removed: object(usage) })),
  {
    ...output('error', '', {}),
    title: 'llmkube … --json, failed',
    description: 'What any command prints that ends without an answer, with exit code 2, 3 or 4.',
    ...object({
      error: object({
        code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$', description: 'docs/exit-codes.md lists them' },
        message: text(),
        suggestions: list(text(), 'what to do next'),
      }),
    }),
  },
];
