import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';

/** The weights that the overrides of a launch, beside those that were asked for, put on the host: by name, their layers. */
export function overriddenLayers(
  { tensors }: ModelShape,
  { tensorOverrides = [] }: LaunchOptions,
  asked: LaunchOptions,
): Record<string, number[]> {
  const patterns = tensorOverrides
    .filter((override) => !asked.tensorOverrides?.includes(override))
    .map(({ pattern, buffer }) => ({ regex: new RegExp(pattern), buffer }));
  const result: Record<string, number[]> = {};
  for (const { name } of tensors.values()) {
    const override = patterns.find(({ regex }) => regex.test(name));
    const [, layer, kind] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (override?.buffer !== 'CPU' || kind === undefined) continue;
    (result[kind] ??= []).push(Number(layer));
  }
  for (const layers of Object.values(result)) layers.sort((a, b) => a - b);
  return result;
}
