import { all, type ArchitectureRule, multiSectionRope, slidingWindow } from '../architecture-rule.js';
import type { Hparams } from '../hparams.js';
import type { Keys } from '../keys.js';

/** `llama_model_has_encoder`: what the target's layers give goes through one. */
function encodesFeatures(hparams: Hparams): void {
  hparams.encoder = 'alone';
}

/** The header says which layers have a window. */
const listedWindows = slidingWindow(1);

function dflash(hparams: Hparams, keys: Keys): void {
  if (keys.number('attention.sliding_window', 0) > 0) listedWindows(hparams, keys);
  if (keys.flagEach('rope.dimension_sections', 2)?.every(Boolean)) multiSectionRope(hparams);
}

/** Models that only draft for another: `src/models/eagle3.cpp`, `dflash.cpp`, `gemma4-assistant.cpp` (llama.cpp v0.5.0). */
export const DRAFT_RULES: Readonly<Record<string, ArchitectureRule>> = {
  eagle3: { memory: 'attention', adjust: encodesFeatures },
  dflash: { memory: 'attention', adjust: all(encodesFeatures, dflash) },
  'gemma4-assistant': { memory: 'attention', adjust: listedWindows },
};
