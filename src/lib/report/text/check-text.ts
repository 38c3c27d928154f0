import type { ChalkInstance } from 'chalk';
import { trainedContext } from '../../estimate/context/trained-context.js';
import { neededParts, type EstimatePart, type ResolvedLaunch } from '../../estimate/memory-estimate.js';
import type { CompleteCheck } from '../../preflight/memory-check.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from '../../preflight/judge/verdict.js';
import { formatModelSource, parseModelSource } from '../../source/model-source.js';
import { shown } from '../../printable.js';
import { redactedSource } from '../../source/redacted-url.js';
import { explainBudgetBriefly } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { gpusInWords, holderLabel, limitLabel, requirementsOf, whereLimited } from '../words/limit-label.js';
import { loadedTexts } from '../words/loaded-text.js';
import { partLabel } from '../words/part-labels.js';
import { tightnessOf } from '../words/warnings.js';
import { modelName } from '../words/model-name.js';

const BAR_CELLS = 20;
const LABEL_WIDTH = 22;
const SIZE_WIDTH = 9;
const COMMIT_DIGITS = 12;

/** A check that lets the model through, as people read it: the verdict first, then what it rests on. */
export function checkText(check: CompleteCheck, colors: ChalkInstance): string {
  const { verdict } = check;
  return [
    headline(check, verdict, colors),
    ...tightnessOf(check).map((cause) => `       ${cause}`),
    '',
    ...verdict.limits.map((limit) => limitLine(limit, verdict, colors)),
    '',
    ...itemised(verdict, colors),
    '',
    ...held(check, verdict),
    ...loadedTexts(check).map(({ what, text }) => `${what.padEnd(9)} ${text}`),
    ...verdict.warnings.map((warning) => `${colors.yellow('note')}      ${warning}`),
  ].join('\n');
}

function headline(check: CompleteCheck, verdict: CompletedVerdict, colors: ChalkInstance): string {
  const [limit] = verdict.limits;
  const left = limit === undefined ? '' : `, ${formatSize(headroomBytes(limit))} to spare${whereLimited(limit)}`;
  const word = verdict.kind === 'fits' ? colors.green.bold('FITS') : colors.yellow.bold('TIGHT');
  return `${word}  ${colors.bold(modelName(check))} (${check.shape.quantization})${left}`;
}

/** `memory  ██████░░░░  21.3GB of 44.6GB   (64GB system × …)` */
function limitLine(limit: LimitCheck, verdict: CompletedVerdict, colors: ChalkInstance): string {
  const { requiredBytes, budget } = limit;
  const filled = Math.min(BAR_CELLS, Math.max(0, Math.round((requiredBytes / budget.bytes) * BAR_CELLS)));
  const color = verdict.kind === 'fits' ? colors.green : colors.yellow;
  const bar = color('█'.repeat(filled)) + colors.dim('░'.repeat(BAR_CELLS - filled));
  const amounts = `${formatSize(requiredBytes)} of ${formatSize(budget.bytes)}`.padEnd(18);
  return `${limitLabel(limit).padEnd(9)} ${bar}  ${amounts}  ${colors.dim(explainBudgetBriefly(budget))}`;
}

function itemised(verdict: CompletedVerdict, colors: ChalkInstance): string[] {
  const { estimate } = verdict;
  const needed = neededParts(estimate);
  const width = Math.max(LABEL_WIDTH, ...[...estimate.parts, ...needed].map((part) => partLabel(part).length));
  const rows = needed.map((part) => partLine(part, width, colors));
  const beside = estimate.parts.filter((part) => !needed.includes(part));
  return [
    ...rows,
    ...requirementsOf(verdict.limits).map(({ bytes, holder }) =>
      colors.bold(`  ${'requirement'.padEnd(width)} ${formatSize(bytes).padStart(SIZE_WIDTH)}  ${holder}`.trimEnd()),
    ),
    ...beside.map((part) => `${partLine(part, width, colors)} ${colors.dim('(file pages that the system may drop)')}`),
  ];
}

function partLine(part: EstimatePart, width: number, colors: ChalkInstance): string {
  const { bytes, accuracy } = part;
  const remark = accuracy === 'exact' ? '' : accuracy;
  const where = holderLabel(part);
  const line = `  ${partLabel(part).padEnd(width)} ${formatSize(bytes).padStart(SIZE_WIDTH)}  ${where.padEnd(6)}${colors.dim(remark)}`;
  return line.trimEnd();
}

/** Which file of a repository was read, where the source does not name it, and in which version. */
function chosenFile(header: CompleteCheck['header'], source: string): string {
  if (header?.file === undefined) return '';
  const { path, commit } = header.file;
  const named = source.endsWith(`/${path}`) ? '' : `, ${shown(path)}`;
  return `${named}${commit === null ? '' : ` at ${commit.slice(0, COMMIT_DIGITS)}`}`;
}

/** The launch that the figures hold for. */
function held(check: CompleteCheck, { estimate }: CompletedVerdict): string[] {
  const { launch, source, header } = check;
  const { nCtx, nCtxSeq, slots, kvUnified, flashAttn, cacheTypeK, cacheTypeV, gpuLayers, llamaCpp } = estimate.resolved;
  const each = slots > 1 && !kvUnified ? ` (${nCtxSeq} each)` : '';
  const shared = slots > 1 && kvUnified ? ' sharing one KV cache' : '';
  const layers = launch.accelerator === 'cpu' ? '' : `, ${gpuLayers} layers on ${gpusInWords(estimate)}`;
  const place = formatModelSource(parseModelSource(source));
  return [
    `context   ${nCtx} tokens${each}, ${slots} slot${slots === 1 ? '' : 's'}${shared}`,
    ...largestLines(check, estimate.resolved),
    `llama.cpp ${llamaCpp}`,
    `launch    ${launch.accelerator}${layers}, cache ${cacheTypeK}/${cacheTypeV}, flash attention ${flashAttn ? 'on' : 'off'}`,
    `source    ${shown(redactedSource(place))}${chosenFile(header, place)}${header?.origin === 'cache' ? ' (header from the cache)' : ''}`,
  ];
}

/** How much context there is room for, beside what the model was trained with. */
function largestLines({ shape, launch, largest }: CompleteCheck, { nCtx, slots, kvUnified }: ResolvedLaunch): string[] {
  if (shape === undefined || largest === undefined) return [];
  const trained = trainedContext(shape.hparams, launch);
  const sequences = kvUnified ? 1 : slots;
  const each = sequences > 1 ? ' for each slot' : '';
  const tokens = Math.min(trained, Math.floor(largest / sequences));
  if (tokens === trained) return [`largest   ${trained} tokens${each}, all that it was trained with`];
  const room = largest === nCtx ? 'fit and no more' : 'fit';
  return [`largest   ${tokens} tokens${each} ${room}, of the ${trained} that it was trained with`];
}
