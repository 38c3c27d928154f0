import { expect, test } from '@jest/globals';
import {
  type DeviceLayers,
  falsePosition,
  type FitProblem,
  launchFor,
  type LayerSplit,
  type Overflow,
} from '../../../../src/lib/estimate/fit/layer-split.js';

const device = (layers: number, partial: number, overflow: Overflow, overflowsToNext: boolean): DeviceLayers => ({
  ...{ layers, partial, overflow, overflowsToNext },
});
/** Of a model of eight layers and an output head. */
const launched = (gpus: number, split: LayerSplit) => {
  const { gpuLayers, tensorSplit, tensorOverrides } = launchFor(
    { launch: { accelerator: 'cuda', gpus }, nLayers: 8 } as unknown as FitProblem,
    split,
  );
  return { gpuLayers, tensorSplit, overrides: tensorOverrides?.map(({ pattern, buffer }) => `${pattern}=${buffer}`) };
};
const EXPERTS = String.raw`\.ffn_(up|down|gate_up|gate)_(ch|)exps`;

test('of a device’s last layers the first overflows as it says, to the next device or the host, the others by their experts to the host', () => {
  const rest = device(4, 0, 'experts', false);
  // Layers 0 to 2 are whole, 3 and 4 are not.
  expect(launched(2, [device(5, 2, 'up-stays', true), rest])).toEqual({
    gpuLayers: 9,
    tensorSplit: [5, 4],
    overrides: [String.raw`blk\.3\.ffn_(gate|gate_up|down).*=CUDA1`, String.raw`blk\.4${EXPERTS}=CPU`],
  });
  expect(launched(2, [device(5, 2, 'up-stays', false), rest]).overrides?.[0]).toMatch(/=CPU$/);
  // Behind the last device there is the host only.
  const last = launched(2, [rest, device(5, 1, 'up-and-gate-stay', true)]);
  expect(last.overrides).toEqual([String.raw`blk\.8\.ffn_down.*=CPU`]);
});

test('layers that stay on the host come first, and one device shares with nobody', () => {
  // Of nine, three are not offloaded: the device begins with layer 3.
  expect(launched(1, [device(6, 1, 'attention-stays', false)])).toEqual({
    gpuLayers: 6,
    tensorSplit: undefined,
    overrides: [String.raw`blk\.8\.ffn_(gate|up|gate_up|down).*=CPU`],
  });
  expect(launched(1, [device(9, 0, 'experts', false)])).toEqual({
    ...{ gpuLayers: 9, tensorSplit: undefined, overrides: undefined },
  });
});

test('the next try lies between the last two by how far each is from the target, at least one from either', () => {
  // 10 layers between 2 and 12 GiB: a target of 5 is 3 of them in
  expect([falsePosition(10, 5, 2, 12), falsePosition(10, 2.5, 2, 12), falsePosition(10, 12, 2, 12)]).toEqual([3, 1, 9]);
  // What is below nothing becomes a huge number, and so all but one.
  expect(falsePosition(10, 0, 2, 12)).toBe(9);
});
