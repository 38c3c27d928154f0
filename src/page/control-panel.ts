import { defaultFraction } from '../lib/budget/budget-policy.js';
import type { Stops } from '../lib/page/controls/control-fields.js';
import type { Controls } from '../lib/page/controls/controls.js';
import { formatSize } from '../lib/report/words/bytes.js';
import type { CacheType } from '../lib/runtime/launch-options.js';

const GIB = 2 ** 30;
/** Steps of the in-use slider in a GB. */
const STEPS_PER_GB = 10;

/**
 * Keeps the form and the controls the same. A control changes only its own value, so that amounts finer than a slider's
 * steps stay exact until that slider is moved.
 */
export class ControlPanel {
  constructor(
    private controls: Controls,
    private readonly stops: Stops,
    private readonly onChange: (controls: Controls) => void,
  ) {
    this.#listen();
    this.#show();
  }

  /** As long as the first GPU is as it was checked, so are those of other sizes. */
  #gpuText(bytes: number): string {
    const { eachGpu } = this.stops;
    const differ = eachGpu[0] === bytes && eachGpu.some((size) => size !== bytes);
    return (differ ? eachGpu : [bytes]).map(formatSize).join(', ');
  }

  set(controls: Controls): void {
    this.controls = controls;
    this.#show();
  }

  #listen(): void {
    const { contexts, memoryBytes, gpuBytes, allLayers, everyLayer } = this.stops;
    this.#on('context', (value) => ({ ctxSize: contexts[Number(value)] ?? this.controls.ctxSize }));
    this.#on('context-exact', (value) => (Number(value) >= 1 ? { ctxSize: Math.floor(Number(value)) } : {}));
    this.#on('slots', (value) => ({ slots: value === '' ? null : Number(value) }));
    this.#on('cache-k', (value) => ({ cacheTypeK: value as CacheType }));
    this.#on('cache-v', (value) => ({ cacheTypeV: value as CacheType }));
    this.#on('ubatch', (value) => ({ ubatchSize: Number(value) }));
    this.#on('quantization', (value) => ({ quantization: value === '' ? null : value }));
    this.#on('gpu-layers', (value) => ({ gpuLayers: Number(value) === allLayers ? everyLayer : Number(value) }));
    this.#on('budget', (value) => (value === '' ? {} : { budgetBytes: Math.floor(Number(value) * GIB) }));
    this.#on('memory', (value) => ({ totalBytes: memoryBytes[Number(value)] ?? this.controls.totalBytes }));
    this.#on('in-use', (value) => ({ inUseBytes: Math.floor((Number(value) / STEPS_PER_GB) * GIB) }));
    this.#on('fraction', (value) => ({ fraction: Number(value) / 100 }));
    this.#on('gpu', (value) => ({ gpuBytes: gpuBytes[Number(value)] ?? this.controls.gpuBytes }));
    this.#onCheck('unified', (kvUnified) => ({ kvUnified }));
    this.#onCheck('projector', (projector) => ({ projector }));
    this.#onCheck('draft', (draft) => ({ draft }));
    this.#on('draft-max', (value) => ({ draftMax: value === '' ? null : Math.max(0, Math.floor(Number(value))) }));
  }

  #on(id: string, read: (value: string) => Partial<Controls>): void {
    const input = field(id);
    input?.addEventListener('input', () => this.#change(read(input.value)));
  }

  #onCheck(id: string, read: (checked: boolean) => Partial<Controls>): void {
    const input = field(id) as HTMLInputElement | null;
    input?.addEventListener('input', () => this.#change(read(input.checked)));
  }

  #change(patch: Partial<Controls>): void {
    this.controls = { ...this.controls, ...patch };
    this.#show();
    this.onChange(this.controls);
  }

  #show(): void {
    const { contexts, memoryBytes, gpuBytes, allLayers } = this.stops;
    const { ctxSize, slots, totalBytes, inUseBytes, budgetBytes } = this.controls;
    const fraction = this.controls.fraction ?? defaultFraction(totalBytes);
    slide('context', nearest(contexts, ctxSize), `${ctxSize} tokens`);
    write('context-exact', String(ctxSize));
    write('slots', slots === null ? '' : String(slots));
    write('cache-k', this.controls.cacheTypeK);
    write('cache-v', this.controls.cacheTypeV);
    write('ubatch', String(this.controls.ubatchSize));
    write('quantization', this.controls.quantization ?? '');
    const { gpuLayers } = this.controls;
    const onGpu = gpuLayers === null || gpuLayers < 0 ? allLayers : Math.min(gpuLayers, allLayers);
    slide('gpu-layers', onGpu, onGpu === allLayers ? `all ${allLayers}` : `${onGpu} of ${allLayers}`);
    write('budget', budgetBytes === null ? '' : String(Number((budgetBytes / GIB).toFixed(2))));
    slide('memory', nearest(memoryBytes, totalBytes), formatSize(totalBytes));
    field('in-use')?.setAttribute('max', String(Math.ceil((totalBytes / GIB) * STEPS_PER_GB)));
    slide('in-use', Math.round((inUseBytes / GIB) * STEPS_PER_GB), formatSize(inUseBytes));
    const byDefault = this.controls.fraction === null ? ', usual for this size' : '';
    slide('fraction', Math.round(fraction * 100), `${Number(fraction.toFixed(4))}${byDefault}`);
    slide('gpu', nearest(gpuBytes, this.controls.gpuBytes ?? 0), this.#gpuText(this.controls.gpuBytes ?? 0));
    check('projector', this.controls.projector);
    check('draft', this.controls.draft);
    write('draft-max', this.controls.draftMax === null ? '' : String(this.controls.draftMax));
    const unified = field('unified') as HTMLInputElement | null;
    if (unified !== null) {
      unified.checked = slots === null || this.controls.kvUnified;
      unified.disabled = slots === null;
    }
  }
}

function field(id: string): HTMLInputElement | HTMLSelectElement | null {
  return document.getElementById(id) as HTMLInputElement | HTMLSelectElement | null;
}

/** What is being typed is left alone. */
function write(id: string, value: string): void {
  const input = field(id);
  if (input !== null && document.activeElement !== input) input.value = value;
}

function check(id: string, isOn: boolean): void {
  const input = field(id) as HTMLInputElement | null;
  if (input !== null) input.checked = isOn;
}

function slide(id: string, position: number, text: string): void {
  const input = field(id);
  if (input === null) return;
  input.value = String(position);
  input.setAttribute('aria-valuetext', text);
  const output = document.getElementById(`${id}-text`);
  if (output !== null) output.textContent = text;
}

function nearest(stops: readonly number[], value: number): number {
  let best = 0;
  for (const [index, stop] of stops.entries()) {
    if (Math.abs(stop - value) < Math.abs((stops[best] ?? 0) - value)) best = index;
  }
  return best;
}
