import { describe as group, expect, test } from '@jest/globals';
import { cpuBackend } from '../../../../../src/lib/estimate/ggml/cpu/cpu-and-blas.js';
import { cudaBackend } from '../../../../../src/lib/estimate/ggml/cuda/backend.js';
import { describe } from '../../../../../src/lib/estimate/ggml/description.js';
import type { Device } from '../../../../../src/lib/estimate/ggml/device.js';
import { Graph } from '../../../../../src/lib/estimate/ggml/graph.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { reschedule, scheduleOf } from '../../../../../src/lib/estimate/ggml/repeats/schedule.js';
import { Scheduler } from '../../../../../src/lib/estimate/ggml/scheduler.js';
import { record } from '../../../../../src/lib/estimate/ggml/allocation/tape.js';
import { F16, F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName } from '../../../../../src/lib/gguf/ggml-types.js';
import { llamaCpp } from '../../../../../src/lib/runtime/llama-cpp.js';

const BACKENDS = [cudaBackend(0, llamaCpp('v0.5.0').switches, 132), cpuBackend];
const OPTIONS = { backends: BACKENDS, opOffload: false };
const WIDTH = 256;

function weights(device: Device, type = F16): Tensor {
  const tensor = ggml.newTensor(type, WIDTH, WIDTH);
  tensor.buffer = { device, usage: 'weights', repacked: false };
  return tensor;
}

/** Two layers, the first on the host, of so many tokens. */
function layersOf(tokens: number, second = weights(0)): Graph {
  const graph = new Graph();
  const first = ggml.mulMat(weights('cpu'), ggml.newInput(F32, WIDTH, tokens));
  graph.expand(ggml.unary(ggml.mulMat(second, first), 'silu'));
  return graph;
}

function said(graph: Graph): number[] {
  return [...describe(graph, OPTIONS)];
}

group('what is said of a graph before it is scheduled', () => {
  test('is the same for batches of other sizes that devices run alike', () => {
    expect(said(layersOf(3))).toEqual(said(layersOf(7)));
  });

  test('is another where a device no longer runs a node', () => {
    const type = ggmlTypeByName('TQ1_0');
    expect(
      cudaBackend(0, llamaCpp('v0.5.0').switches, 132).supportsOp(layersOf(3, weights(0, type)).nodes[1] as Tensor),
    ).toBe(false);
    expect(said(layersOf(3, weights(0, type)))).not.toEqual(said(layersOf(3)));
  });

  test('is another where weights lie elsewhere, or a node was told where to run', () => {
    expect(said(layersOf(3, weights('cpu')))).not.toEqual(said(layersOf(3)));
    const pinned = layersOf(3);
    (pinned.nodes.at(-1) as Tensor).backend = 1;
    expect(said(pinned)).not.toEqual(said(layersOf(3)));
  });

  test('lets another graph have the backends and copies of one that was scheduled', () => {
    const graph = layersOf(3);
    const before = describe(graph, OPTIONS);
    const scheduler = new Scheduler(BACKENDS, false);
    scheduler.assign(graph);
    const plan = scheduler.plan(graph, true);
    const schedule = scheduleOf(graph, before, plan, record(plan.steps, plan.leafs).tensors);

    const other = layersOf(7);
    reschedule(other, schedule);
    expect(other.nodes.map(({ backend }) => backend)).toEqual([1, 0, 0]);
    const [first, second] = other.nodes as [Tensor, Tensor];
    expect(second.src[1]?.original).toBe(first);
    expect(second.src[1]?.backend).toBe(0);
    expect(second.src[1]?.ne).toEqual([WIDTH, 7, 1, 1]);
  });
});
