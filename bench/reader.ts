import { get } from 'node:http';

/** What is measured: one header, read by one reader in a process of its own, with all its modules loaded before. */
type Reader = (url: string, headerBytes: number) => Promise<unknown>;

const READERS: Readonly<Record<string, () => Promise<Reader>>> = {
  'bytes alone': async () => bytesAlone,
  llmkube: async () => ours(undefined),
  'llmkube, cached': async () => ours(process.env.BENCH_CACHE),
  '@huggingface/gguf': async () => {
    const { gguf } = await import('@huggingface/gguf');
    return (url) => gguf(url);
  },
  'node-llama-cpp': async () => {
    const name = 'node-llama-cpp';
    const { readGgufFileInfo } = (await import(name)) as {
      readGgufFileInfo: (url: string, options: object) => unknown;
    };
    return async (url) => readGgufFileInfo(url, { logWarnings: false });
  },
};

function bytesAlone(url: string, headerBytes: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { range: `bytes=0-${headerBytes - 1}` } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Uint8Array) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

async function ours(cacheDir: string | undefined): Promise<Reader> {
  const [{ readModelHeader }, { parseModelSource }] = await Promise.all([
    import('../src/lib/source/open.js'),
    import('../src/lib/source/model-source.js'),
  ]);
  return (url) => readModelHeader(parseModelSource(url), { cacheDir, env: {} });
}

const [name = '', url = '', headerBytes = '0'] = process.argv.slice(2);
const load = READERS[name];
if (load === undefined) throw new Error(`no reader ${name}`);
const read = await load();
const startCpu = process.cpuUsage();
const start = performance.now();
await read(url, Number(headerBytes));
const wallMs = performance.now() - start;
const { user, system } = process.cpuUsage(startCpu);
process.send?.({ wallMs, cpuMs: (user + system) / 1000 });
process.disconnect();
process.exit(0);
