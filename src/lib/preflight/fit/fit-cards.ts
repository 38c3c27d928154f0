import type { Gpu } from '../../host/host-memory.js';
import { trainedContext } from '../../estimate/context/trained-context.js';
import { openGpus } from '../advice/gpu-shares.js';
import type { Trials } from '../advice/trials.js';
import { type Candidate, type FitRequest, FitSearch, isBetterPlaced, wantedContext } from './fit-search.js';

/**
 * The best launch on all GPUs that llama.cpp would take, or on fewer of them: each costs what its driver, its buffers and the copies between
 * them take, and a small one may cost more than it gives; or on none where none has room. What was said of them is kept. Undefined when
 * nothing fits.
 */
export function bestOnCards(trials: Trials, request: FitRequest): Candidate | undefined {
  let best = new FitSearch(trials, request).run();
  const isSaid = request.launch.devices !== undefined;
  if (isSaid || (best !== undefined && isUnsurpassed(best, request))) return best;
  for (const devices of fewerCards(trials, request)) {
    const other = new FitSearch(trials, { ...request, launch: { ...request.launch, devices } }).run();
    if (other === undefined || (best !== undefined && !isBetter(trials, request, other, best))) continue;
    best = {
      ...other,
      changes: [{ kind: 'devices', devices, accelerator: request.launch.accelerator }, ...other.changes],
    };
  }
  return best ?? withoutGpus(trials, request);
}

/** Where no GPU has room even for a launch without layers on it: weights that leave it are no larger than those that were asked for. */
function withoutGpus(trials: Trials, request: FitRequest): Candidate | undefined {
  if (openGpus(trials, request.launch).length === 0) return undefined;
  const variants = request.variants.filter(({ shape }) => shape.fileBytes <= request.shape.fileBytes);
  const found = new FitSearch(trials, { ...request, variants, launch: { ...request.launch, devices: [] } }).run();
  return found && { ...found, changes: [{ kind: 'no-gpu' }, ...found.changes] };
}

/** Without the smallest one, without the two smallest, … down to the largest alone. */
function fewerCards(trials: Trials, { launch }: FitRequest): readonly (readonly number[])[] {
  const gpus: readonly Gpu[] = trials.room.host.gpus ?? [];
  const free = (gpu: number): number => (gpus[gpu]?.totalBytes ?? 0) - (gpus[gpu]?.usedBytes ?? 0);
  const bySize = [...openGpus(trials, launch)].sort((a, b) => free(b) - free(a));
  return bySize.slice(1).map((_, left) => bySize.slice(0, bySize.length - 1 - left).sort((a, b) => a - b));
}

/** The largest weights on the GPUs, with all the context that there can be. */
function isUnsurpassed({ stage, shape, nCtx, launch }: Candidate, { variants, shape: asked }: FitRequest): boolean {
  const isLargest = [asked, ...variants.map((variant) => variant.shape)].every(
    (one) => one.fileBytes <= shape.fileBytes,
  );
  return stage.order === 0 && isLargest && nCtx >= trainedContext(shape.hparams, launch);
}

/** In the order in which a search looks for what is best. */
function isBetter(trials: Trials, { asked, shape, prefer }: FitRequest, one: Candidate, other: Candidate): boolean {
  const wanted = wantedContext(asked, trainedContext(shape.hparams, one.launch));
  const [reached, otherReached] = [one.nCtx >= wanted, other.nCtx >= wanted];
  if (reached !== otherReached) return reached;
  const isLonger = one.nCtx - other.nCtx;
  if (!reached && isLonger !== 0) return isLonger > 0;
  const isLater = one.stage.order - other.stage.order;
  if (isLater !== 0) return isLater < 0;
  if (prefer === 'context' && isLonger !== 0) return isLonger > 0;
  const isLarger = one.shape.fileBytes - other.shape.fileBytes;
  if (isLarger !== 0) return isLarger > 0;
  return one.isCompact === other.isCompact ? isBetterPlaced(trials, one, other) : other.isCompact;
}
