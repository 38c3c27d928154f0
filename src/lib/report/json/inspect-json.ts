import type { GgufHeader, GgufTensor } from '../../gguf/header.js';
import { inspectHeader, tensorFacts } from '../../model/inspect-header.js';
import { MadeList } from '../../printable.js';
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
    ...(include.tensors && { tensors: tensorsOf(header) }),
    warnings: notes,
  };
}

/** There may be 65,536. */
function tensorsOf({ tensors }: GgufHeader): MadeList {
  return new MadeList(tensors.length, (index) => tensorFacts(tensors[index] as GgufTensor));
}

function metadataObject({ metadata }: GgufHeader): Record<string, unknown> {
  return Object.fromEntries(metadata);
}
