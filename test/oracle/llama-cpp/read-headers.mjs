// Reads GGUF headers with node-llama-cpp. Standard input: a JSON array of paths; standard output: an array of {metadata,
// tensors}: every key with its value, of an array of more than 4096 elements or of a vocabulary only {length}, of text
// beyond 4096 bytes only {bytes}; name and dimensions of every tensor.
import { readGgufFileInfo } from 'node-llama-cpp';

const MOST = 4096;

function* flatten(value, path = []) {
  const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!nested) yield [path.join('.'), shorten(value, path)];
  else for (const [key, inner] of Object.entries(value)) yield* flatten(inner, [...path, key]);
}

function shorten(value, [room]) {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && Buffer.byteLength(value) > MOST) return { bytes: Buffer.byteLength(value) };
  if (!Array.isArray(value)) return value;
  return room === 'tokenizer' || value.length > MOST
    ? { length: value.length }
    : value.map((each) => shorten(each, []));
}

let text = '';
for await (const chunk of process.stdin) text += chunk;
const headers = [];
for (const path of JSON.parse(text)) {
  const { metadata, fullTensorInfo } = await readGgufFileInfo(path, { logWarnings: false });
  const tensors = (fullTensorInfo ?? []).map(({ name, dimensions }) => [name, dimensions.map(Number).join()]);
  headers.push({ metadata: Object.fromEntries(flatten(metadata)), tensors });
}
process.stdout.write(JSON.stringify(headers), () => process.exit(0));
