import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { MemoryEstimate } from '../../../src/lib/estimate/memory-estimate.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { inspectHeader } from '../../../src/lib/model/inspect-header.js';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import { judge, limitsOf } from '../../../src/lib/preflight/judge/judge.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { printedAsJson } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import { Finding } from '../subject.js';

export const ACCELERATORS_TRIED = ['metal', 'cpu', 'cuda', 'vulkan', 'rocm', 'intel'] as const;

/** With whether all that is loaded counts against one limit. */
const LAUNCHES: readonly (LaunchOptions & { readonly onePool: boolean })[] = [
  { accelerator: 'metal', ctxSize: 4096, onePool: true },
  { accelerator: 'cpu', ctxSize: 512, parallel: 2, repack: false, onePool: true },
  { accelerator: 'cuda', ctxSize: 2048, gpuLayers: 1, onePool: false },
  { accelerator: 'vulkan', ctxSize: 2048, flashAttn: 'off', onePool: false },
  { accelerator: 'metal', ctxSize: 32768, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0', kvUnified: true, onePool: true },
];

/** Whatever is estimated takes what the weights take, is a number, and does not fit where the weights alone do not. */
export function judgeHeader(header: GgufHeader, random: Random): void {
  printedAsJson(inspectHeader(header));
  const shape = describeModel(header);
  const { onePool, ...launch } = random.pick(LAUNCHES);
  const estimate = estimateMemory(shape, launch);
  holdWeights(header, shape, launch, estimate, onePool);
}

/** @param onePool whether all that is loaded counts against one limit */
export function holdWeights(
  header: GgufHeader,
  shape: ModelShape,
  launch: LaunchOptions,
  estimate: MemoryEstimate,
  onePool = launch.accelerator === 'cpu' || launch.accelerator === 'metal',
): void {
  const { parts } = estimate;
  for (const { name, bytes } of parts) {
    if (!Number.isFinite(bytes) || bytes < 0) throw new Finding(`${name} takes ${bytes} bytes`);
  }
  const counted = parts.filter(({ name }) => name.startsWith('weights')).reduce((sum, { bytes }) => sum + bytes, 0);
  const least = leastBytes(header, shape);
  if (counted < least) throw new Finding(`${counted} bytes are counted of ${least} of ${shape.architecture}'s weights`);
  if (onePool && fitsIn(least - 1, estimate, launch)) {
    throw new Finding(`${shape.architecture} fits below the ${least} bytes of its weights`);
  }
}

function fitsIn(absoluteBytes: number, estimate: MemoryEstimate, { accelerator }: LaunchOptions): boolean {
  const host: HostMemory = { source: 'given', totalBytes: 2 ** 50, inUseBytes: 0, notes: [] };
  const { kind } = judge(estimate, limitsOf(estimate, accelerator, host, { absoluteBytes }));
  return kind !== 'does-not-fit';
}

/** Of the file's blocks that are run, and what is in no block; blocks that predict ahead are left out. */
function leastBytes({ tensors }: GgufHeader, { hparams }: ModelShape): number {
  let sum = 0;
  for (const { name, bytes } of tensors) {
    const block = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
    if (block < hparams.nLayer) sum += bytes;
  }
  return sum;
}
