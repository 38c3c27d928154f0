import type { GgufHeader } from '../gguf/header.js';
import { describeFile } from './describe-file.js';
import { describeModel } from './describe-model.js';
import type { ProjectorShape, Shape } from './model-shape.js';
import { encodersOf } from './projector/encoders.js';
import { requireProjectorKeys, withSingleValues } from './projector/projector-keys.js';

/**
 * What a header means, for each kind of file that llama-server loads: models and drafts, projectors (architecture `clip`,
 * as `convert_hf_to_gguf.py` writes it), adapters (`general.type`) and control vectors (`export-lora`'s sibling
 * `cvector-generator` gives them the architecture `controlvector`).
 * @throws CheckIncompleteError when it is none of these, or lacks what llama.cpp needs to load it.
 */
export function describeShape(header: GgufHeader): Shape {
  const architecture = header.metadata.get('general.architecture');
  const type = header.metadata.get('general.type');
  if (architecture === 'clip' || type === 'mmproj') return describeProjector(header);
  if (architecture === 'controlvector' || type === 'adapter') return { kind: 'adapter', ...describeFile(header) };
  return describeModel(header);
}

function describeProjector(header: GgufHeader): ProjectorShape {
  const described = describeFile(header);
  const file = { ...described, keys: withSingleValues(described.keys) };
  requireProjectorKeys(file.keys, encodersOf(file));
  return { kind: 'projector', ...file };
}
