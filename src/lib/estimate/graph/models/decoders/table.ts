import type { ArchitectureGraph } from '../../architecture-graph.js';
import { decoderGraph } from './build.js';
import { chameleon, DENSE_SPECS } from './dense.js';
import { EXPERTS_SPECS } from './experts.js';
import { graniteSwitch } from './granite-switch.js';
import { GRANITE_SPECS } from './granite.js';
import { hrmText } from './hrm-text.js';
import { LATENT_SPECS } from './latent.js';
import { OWN_LAYER_SPECS } from './own-layers.js';
import { PARALLEL_SPECS } from './parallel.js';

const SPECS = {
  ...DENSE_SPECS,
  ...EXPERTS_SPECS,
  ...PARALLEL_SPECS,
  ...GRANITE_SPECS,
  ...LATENT_SPECS,
  ...OWN_LAYER_SPECS,
  chameleon,
};

/** Decoders that a specification describes, and those with a page of their own. */
export const DECODER_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  ...Object.fromEntries(Object.entries(SPECS).map(([name, spec]) => [name, decoderGraph(spec)])),
  hrm_text: hrmText,
  graniteswitch: graniteSwitch,
};
