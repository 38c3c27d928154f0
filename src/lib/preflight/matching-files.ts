import { CheckIncompleteError } from '../errors.js';
import type { ModelShape, ProjectorShape } from '../model/model-shape.js';
import { projectorWidth } from '../model/projector/projector-width.js';

/**
 * The constructor of `mtmd_context` (`tools/mtmd/mtmd.cpp`, llama.cpp v0.5.0): a projector makes embeddings as wide as the
 * model reads them.
 * @throws CheckIncompleteError PROJECTOR_MISMATCH, in llama-server's words
 */
export function requireMatchingProjector({ hparams }: ModelShape, projector: ProjectorShape): void {
  const read = hparams.nEmbd * (1 + hparams.nDeepstackLayers);
  const made = projectorWidth(projector);
  if (made === undefined || made === read) return;
  throw new CheckIncompleteError(
    'PROJECTOR_MISMATCH',
    `llama-server would stop with "mismatch between text model (n_embd = ${read}) and mmproj (n_embd = ${made})"; name the projector of this very model with --mmproj, or say --no-mmproj`,
  );
}
