import { estimateMemory } from '../../src/lib/estimate/estimate-memory.js';
import type { GgufHeader } from '../../src/lib/gguf/header.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import { inspectHeader } from '../../src/lib/model/inspect-header.js';
import type { ModelShape } from '../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { printedAsJson } from './harmless.js';
import type { Random } from './random.js';
import { Finding } from './subject.js';

const LAUNCHES: readonly LaunchOptions[] = [
  { accelerator: 'metal', ctxSize: 4096 },
  { accelerator: 'cpu', ctxSize: 512, parallel: 2, repack: false },
  { accelerator: 'cuda', ctxSize: 2048, gpuLayers: 1 },
];

/** Whatever is estimated takes what the weights take, and is a number. */
export function judgeHeader(header: GgufHeader, random: Random): void {
  printedAsJson(inspectHeader(header));
  const shape = describeModel(header);
  const launch = random.pick(LAUNCHES);
  const { parts } = estimateMemory(shape, launch);
  for (const { name, bytes } of parts) {
    if (!Number.isFinite(bytes) || bytes < 0) throw new Finding(`${name} takes ${bytes} bytes`);
  }
  const counted = parts.filter(({ name }) => name.startsWith('weights')).reduce((sum, { bytes }) => sum + bytes, 0);
  const least = leastBytes(shape);
  if (counted < least) throw new Finding(`${counted} bytes are counted of ${least} of ${shape.architecture}'s weights`);
}

/** Of the blocks that are run; those that predict ahead are left out. */
function leastBytes({ tensors, hparams }: ModelShape): number {
  let sum = 0;
  for (const { name, bytes } of tensors.values()) {
    const block = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
    if (block < hparams.nLayer) sum += bytes;
  }
  return sum;
}
