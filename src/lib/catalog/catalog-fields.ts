import { table } from '../table.js';

/** Gives what is wrong with a value ("is not …"), or undefined when it is right. */
type Check = (value: unknown) => string | undefined;

const ACCEPTED_SOURCE = /^((https?|file|pvc|hf|s3):\/\/|hf:).+|^\/\S+$|^[a-zA-Z0-9][\w\-./]+$/;
const KUBERNETES_QUANTITY = /^\d+(\.\d+)?([kMGTP]|[KMGTP]i|m)?$/;

const text: Check = (value) => (typeof value === 'string' && value.trim() !== '' ? undefined : 'is not text');
const count: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) > 0 ? undefined : 'is not a whole number above 0';
const layers: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= -1 ? undefined : 'is not a number of layers, or -1 for all';
const quantity: Check = (value) =>
  KUBERNETES_QUANTITY.test(String(value)) ? undefined : 'is not a Kubernetes quantity such as 8Gi';
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => text(item) === undefined) ? undefined : 'is not a list of texts';
const pattern =
  (expression: RegExp, problem: string): Check =>
  (value) =>
    typeof value === 'string' && expression.test(value) ? undefined : problem;

/** What an entry may contain, by path below the entry. */
export const ENTRY_FIELDS = table<{ readonly required?: true; readonly check: Check }>({
  source: {
    required: true,
    check: pattern(ACCEPTED_SOURCE, 'is neither a URL, nor hf:OWNER/REPO, nor an absolute path'),
  },
  mmproj: { check: pattern(ACCEPTED_SOURCE, 'is neither a URL, nor hf:OWNER/REPO/FILE.gguf, nor an absolute path') },
  draft: { check: pattern(ACCEPTED_SOURCE, 'is neither a URL, nor hf:OWNER/REPO/FILE.gguf, nor an absolute path') },
  spec_type: {
    check: pattern(/^[a-z0-9-]+(,[a-z0-9-]+)*$/, 'is no --spec-type of llama-server, such as draft-simple'),
  },
  name: { check: text },
  description: { check: text },
  size: { check: text },
  quantization: { check: text },
  homepage: { check: pattern(/^https?:\/\//, 'is not a URL') },
  mode: { check: pattern(/^(chat|embedding|rerank)$/, 'is not chat, embedding or rerank') },
  context_size: { check: count },
  gpu_layers: { check: layers },
  vram_estimate: { check: pattern(/^\d+(\.\d+)?(-\d+(\.\d+)?)?GB$/, 'is not written like 5-8GB') },
  use_cases: { check: texts },
  aliases: { check: texts },
  'resources.cpu': { check: quantity },
  'resources.memory': { check: quantity },
  'resources.gpu_memory': { check: quantity },
});
