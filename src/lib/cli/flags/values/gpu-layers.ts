import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../../errors.js';
import { ALL_GPU_LAYERS, AUTO_GPU_LAYERS } from '../../../runtime/launch-options.js';

/** What `std::stoi` reads. */
const LARGEST = 2 ** 31;

/** A number of layers, `all` or `auto`, as llama-server takes them: -1 is auto, and less is all. */
export const gpuLayersFlag = Flags.custom<number>({
  helpValue: '<n>|all|auto',
  parse: async (input, _context, { name }) => {
    if (input === 'all') return ALL_GPU_LAYERS;
    if (input === 'auto') return AUTO_GPU_LAYERS;
    if (/^-?\d+$/.test(input) && Math.abs(Number(input)) < LARGEST) return Math.max(Number(input), ALL_GPU_LAYERS);
    throw new UsageError('INVALID_GPU_LAYERS', `--${name} ${input} is neither a number of layers nor all or auto`);
  },
});
