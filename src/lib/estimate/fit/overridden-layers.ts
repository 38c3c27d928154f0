import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { namePattern } from '../../runtime/names/name-pattern.js';

/** The weights that the overrides of a launch, beside those that were asked for, take away from their layer's device: by name, their layers. */
export function overriddenLayers(
  { tensors }: ModelShape,
  { tensorOverrides = [] }: LaunchOptions,
  asked: LaunchOptions,
): Record<string, number[]> {
  const patterns = tensorOverrides
    .filter((override) => !asked.tensorOverrides?.includes(override))
    .map(({ pattern }) => namePattern(pattern));
  const result: Record<string, number[]> = {};
  for (const { name } of tensors.values()) {
    const [, layer, kind] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (kind === undefined || !patterns.some((pattern) => pattern.test(name))) continue;
    (result[kind] ??= []).push(Number(layer));
  }
  for (const layers of Object.values(result)) layers.sort((a, b) => a - b);
  return result;
}
