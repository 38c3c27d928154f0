import type { GgufHeader } from '../../gguf/header.js';
import { inspectHeader, tensorFacts } from '../../model/inspect-header.js';
import { pathRead, type ModelHeader } from '../../source/model-header.js';

/** A header as one JSON object, described by `schemas/inspect.schema.json`. Amounts are bytes. */
export function inspectJson(
  source: string,
  reading: ModelHeader,
  include: { readonly metadata: boolean; readonly tensors: boolean },
): Record<string, unknown> {
  const { header, origin, derived, notes } = reading;
  return {
    source: { uri: source, header: origin, derived },
    ...inspectHeader(header, pathRead(reading, source)),
    ...(include.metadata && { metadata: metadataObject(header) }),
    ...(include.tensors && { tensors: header.tensors.map(tensorFacts) }),
    warnings: notes,
  };
}

function metadataObject({ metadata }: GgufHeader): Record<string, unknown> {
  return Object.fromEntries(metadata);
}
