import { neededParts, type EstimatePart, type MemoryEstimate } from '../estimate/memory-estimate.js';
import { isDiscrete } from '../preflight/judge/judge.js';
import { headroomBytes, type CompletedVerdict } from '../preflight/judge/verdict.js';
import { formatCompared, formatSize } from '../report/words/bytes.js';
import { explainBudget } from '../report/words/budget-text.js';
import { gpusInWords, holderLabel, requirementsOf, whereLimited } from '../report/words/limit-label.js';
import { partLabel } from '../report/words/part-labels.js';
import { warningsOf } from '../report/words/warnings.js';
import type { LoadedText } from '../report/words/loaded-text.js';
import type { PageAnswer, PageModel } from './answer.js';
import { commandLine } from './copied-command.js';
import type { Controls } from './controls/controls.js';
import type { PageInput } from './page-input.js';
import { wholeText } from './html.js';
import { memoryBarHtml } from './memory-bar.js';

/** The parts of the page that follow from the controls at once, each as HTML for the element of that id. */
export interface Sections {
  readonly verdict: string;
  readonly bars: string;
  readonly parts: string;
  readonly launch: string;
  readonly notes: string;
  readonly command: string;
}

export function sectionsOf(model: PageModel, controls: Controls, answer: PageAnswer): Sections {
  const command = wholeText(commandLine(model.input, controls));
  if (answer.kind === 'refused') {
    const verdict = verdictHtml('refused', 'Refused', answer.reason);
    return { verdict, bars: '', parts: '', launch: '', notes: notesHtml(model.input.notes), command };
  }
  const { verdict } = answer;
  const { launch, host } = model.input;
  const discrete = isDiscrete(launch.accelerator) && host.unifiedMemory !== true;
  return {
    verdict: judgedHtml(verdict, model.input.uncounted),
    bars: verdict.limits.map((limit) => memoryBarHtml(limit, verdict.estimate, discrete)).join(''),
    parts: partsHtml(verdict),
    launch: launchHtml(verdict.estimate, loadedWith(model.input, controls)),
    notes: notesHtml([
      ...recipeNote(model, controls),
      ...warningsOf({ verdict, programs: model.input.programs }),
      ...model.input.notes,
    ]),
    command,
  };
}

/** Only the file that was checked was read. */
function recipeNote({ input, shape }: PageModel, { quantization }: Controls): readonly string[] {
  if (quantization === null || !input.quantizations.includes(quantization)) return [];
  return [
    `${quantization} was worked out from the header of ${shape.quantization} by llama.cpp's recipe, which publishers may leave; the command reads its own header`,
  ];
}

/** The verdict's word, and by how much. */
function judgedHtml(verdict: CompletedVerdict, uncounted: string | null): string {
  const [limit] = verdict.limits;
  if (limit === undefined) return '';
  const available = Math.max(0, limit.budget.bytes);
  const [required, budget] = formatCompared(limit.requiredBytes, available);
  const where = whereLimited(limit);
  if (verdict.kind === 'does-not-fit') {
    const missing = formatSize(-headroomBytes(limit));
    return verdictHtml(
      'does-not-fit',
      'Does not fit',
      `${missing} too much: needs ${required}${where}, the budget is ${budget} (${explainBudget(limit.budget)})`,
    );
  }
  if (uncounted !== null) return verdictHtml('unknown', 'Unknown', uncounted);
  const spare = formatSize(headroomBytes(limit));
  const amounts = `${spare} to spare: needs ${required}${where}, the budget is ${budget} (${explainBudget(limit.budget)})`;
  if (verdict.kind === 'fits') return verdictHtml('fits', 'Fits', amounts);
  return verdictHtml('tight', 'Tight', `${amounts}; what can push it over is under “Worth knowing”`);
}

function verdictHtml(kind: string, word: string, text: string): string {
  return `<p class="verdict ${kind}"><strong>${word}</strong> <span>${wholeText(text)}</span></p>`;
}

function partsHtml(verdict: CompletedVerdict): string {
  const { estimate } = verdict;
  const needed = neededParts(estimate);
  const rows = needed.map(partRow).join('');
  const beside = estimate.parts
    .filter((part) => !needed.includes(part))
    .map(partRow)
    .join('');
  const total = requirementsOf(verdict.limits)
    .map(
      ({ bytes, holder }) =>
        `<tr class="total"><th scope="row">requirement</th><td title="${bytes} bytes">${formatSize(bytes)}</td><td>${holder}</td><td></td></tr>`,
    )
    .join('');
  return `<table><thead><tr><th scope="col">Part</th><th scope="col">Size</th><th scope="col">Held by</th><th scope="col">How sure</th></tr></thead><tbody>${rows}${total}${beside}</tbody></table>`;
}

function partRow(part: EstimatePart): string {
  const { bytes, accuracy } = part;
  return `<tr><th scope="row">${partLabel(part)}</th><td title="${bytes} bytes">${formatSize(bytes)}</td><td>${holderLabel(part)}</td><td>${accuracy}</td></tr>`;
}

/** As the controls leave it. */
function loadedWith({ loaded }: PageInput, { projector, draft }: Controls): readonly LoadedText[] {
  return loaded.filter(({ what }) => (what !== 'projector' || projector) && (what !== 'draft' || draft));
}

const FILES = { projector: 'Projector', draft: 'Draft', adapter: 'Adapter' } as const;

function launchHtml({ resolved, parts }: MemoryEstimate, loaded: readonly LoadedText[]): string {
  const { llamaCpp, nCtx, nCtxSeq, slots, kvUnified, flashAttn, nBatch, nUbatch, cacheTypeK, cacheTypeV, gpuLayers } =
    resolved;
  const shared = slots > 1 ? (kvUnified ? ', sharing one KV cache' : `, ${nCtxSeq} tokens each`) : '';
  const rows = [
    ['llama.cpp', llamaCpp],
    ['Context', `${nCtx} tokens`],
    ['Slots', `${slots}${shared}`],
    ['KV cache', `${cacheTypeK} (K), ${cacheTypeV} (V)`],
    ['Flash attention', flashAttn ? 'on' : 'off'],
    ['Batch', `${nBatch}, ubatch ${nUbatch}`],
    [`Layers on ${gpusInWords({ parts })}`, String(gpuLayers)],
  ];
  const items = rows.map(([term, text]) => `<div><dt>${term}</dt><dd>${text}</dd></div>`);
  const files = loaded.map(
    ({ what, text }) => `<div class="wide"><dt>${FILES[what]}</dt><dd>${wholeText(text)}</dd></div>`,
  );
  return `<dl>${[...items, ...files].join('')}</dl>`;
}

function notesHtml(notes: readonly string[]): string {
  if (notes.length === 0) return '';
  return `<ul>${notes.map((note) => `<li>${wholeText(note)}</li>`).join('')}</ul>`;
}
