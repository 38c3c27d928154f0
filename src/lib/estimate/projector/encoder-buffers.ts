import type { Encoder, EncoderHparams } from '../../model/projector/encoder-hparams.js';
import type { FlashAttention } from '../../runtime/launch-options.js';
import { refused } from '../refused-launches.js';
import type { Backend } from '../ggml/backend.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import { allocateGraph } from '../ggml/allocation/graph-allocator.js';
import { ScratchTally } from '../ggml/scratch-tally.js';
import { Scheduler, UnsupportedOpError } from '../ggml/scheduler.js';
import { record, TensorSizes } from '../ggml/allocation/tape.js';
import type { MediaBatch } from '../graph/projector/clip-graph.js';
import { buildProjectorGraph, type ProjectorGraph } from '../graph/projector/projectors.js';
import type { EncoderWeights } from './weights.js';

export interface EncoderBuffersInputs {
  readonly encoder: Encoder;
  readonly hparams: EncoderHparams;
  readonly graph: ProjectorGraph;
  readonly weights: EncoderWeights;
  /** In order of priority, the CPU last. */
  readonly backends: readonly Backend[];
  readonly flashAttn: FlashAttention;
}

/**
 * The compute buffers of one encoder over its life: `clip_model_loader::warmup` and `clip_encode` (`tools/mtmd/clip.cpp`,
 * llama.cpp v0.5.0). A graph that needs more than a buffer has replaces it; none ever shrinks.
 */
export class EncoderBuffers {
  bytes: DeviceBytes = { cpu: 0, gpus: [] };
  private flashAttn: boolean | undefined;
  private readonly scheduler: Scheduler;
  private readonly tally: ScratchTally;

  constructor(private readonly inputs: EncoderBuffersInputs) {
    this.scheduler = new Scheduler(inputs.backends, true);
    this.tally = new ScratchTally(inputs.backends);
    if (inputs.flashAttn !== 'auto') this.flashAttn = inputs.flashAttn === 'on';
  }

  /** What computing what was planned takes of the GPU beside buffers. */
  get scratch(): DeviceBytes {
    return { cpu: 0, gpus: this.tally.bytes };
  }

  /** Makes room for a graph. The first decides on flash attention, and keeps what the attempt took. */
  reserve(media: MediaBatch): void {
    if (this.flashAttn === undefined) {
      this.flashAttn = this.plan(media, true);
      if (this.flashAttn) return;
    }
    this.plan(media, this.flashAttn);
  }

  /** Whether the encoder's device runs every attention itself. */
  private plan(media: MediaBatch, flashAttn: boolean): boolean {
    const { encoder, hparams, graph: projector, weights, backends } = this.inputs;
    const known = new Map<string, ReturnType<EncoderWeights['tensor']>>();
    const weight = (name: string): ReturnType<EncoderWeights['tensor']> => {
      if (!known.has(name)) known.set(name, weights.tensor(name));
      return known.get(name) ?? null;
    };
    const { graph } = buildProjectorGraph(projector, { encoder, hparams, media, flashAttn, weight });
    try {
      this.scheduler.assign(graph);
      this.tally.run(graph.nodes);
      const { steps, leafs } = this.scheduler.plan(graph);
      const tape = record(steps, leafs);
      const sizes = new TensorSizes(backends, tape.tensors);
      this.bytes = largerOf(this.bytes, allocateGraph(tape, sizes, backends));
    } catch (error) {
      if (error instanceof UnsupportedOpError) throw refused(error.message);
      throw error;
    }
    const first = backends[0] as Backend;
    return graph.nodes.every((node) => node.op !== 'FLASH_ATTN_EXT' || first.supportsOp(node));
  }
}
