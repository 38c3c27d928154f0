import type { ChalkInstance } from 'chalk';
import { isComplete, type MemoryCheck } from '../preflight/memory-check.js';
import { layersAsChosen } from '../preflight/server-choice.js';
import { savingsOf } from '../preflight/surveys/savings.js';
import { largestOf } from '../preflight/surveys/largest-of.js';
import { contextCurve, contextTable, surveyMacs, type TableColumns } from '../preflight/surveys/survey.js';
import { quantizationTable, type QuantizationSources } from '../preflight/surveys/quantizations.js';
import { Trials } from '../preflight/advice/trials.js';
import { sameLimit } from '../preflight/judge/verdict.js';
import { chartColumns, contextChart, limitOfCurve } from '../report/text/context-chart.js';
import { memoryBars } from '../report/text/memory-bar.js';
import {
  contextTableJson,
  limitNameJson,
  macsJson,
  quantizationTableJson,
  savingsJson,
} from '../report/json/table-json.js';
import { wrapWords } from '../report/layout/wrap.js';
import { wantsTable } from './flags/view-flags.js';
import { quantizationTableText } from '../report/tables/quantization-text.js';
import { savingsText } from '../report/tables/savings-text.js';
import { gpusInWords } from '../report/words/limit-label.js';
import { contextTableText, macsText } from '../report/tables/survey-text.js';

/** Points that are estimated for a chart; between them it is drawn straight. */
const CHART_POINTS = 17;

export interface ViewFlags {
  readonly table: boolean;
  readonly by?: TableColumns | 'quantization' | undefined;
  readonly machines: boolean;
  readonly savings: boolean;
  readonly chart: boolean;
  readonly 'in-use'?: number | undefined;
  readonly 'memory-fraction'?: number | undefined;
}

export interface View {
  readonly json: Record<string, unknown>;
  readonly text: (width: number, colors: ChalkInstance) => string;
}

/** The tables and pictures that were asked for beside a check, as far as the check got. */
export async function viewsOf(
  check: MemoryCheck,
  flags: ViewFlags,
  sources: QuantizationSources,
): Promise<readonly View[]> {
  const { by = 'cache-type' } = flags;
  const views = [
    flags.chart && pictures(check),
    wantsTable(flags) && (by === 'quantization' ? await quantizations(check, sources) : table(check, by)),
    flags.savings && savings(check),
    flags.machines && macs(check, flags),
  ];
  return views.filter((view) => view !== false && view !== undefined);
}

function savings(check: MemoryCheck): View | undefined {
  const found = savingsOf(check);
  if (found === undefined || !isComplete(check)) return undefined;
  return {
    json: { savings: savingsJson(found) },
    text: (_width, colors) => withLayersNote(savingsText(found, check.verdict, colors), check),
  };
}

async function quantizations(check: MemoryCheck, sources: QuantizationSources): Promise<View | undefined> {
  const found = await quantizationTable(check, sources);
  if (found === undefined) return undefined;
  return {
    json: { table: quantizationTableJson(found) },
    text: (_width, colors) => quantizationTableText(found, colors),
  };
}

function table(check: MemoryCheck, columns: TableColumns): View | undefined {
  const { shape, launch, room } = check;
  if (shape === undefined || room === undefined) return undefined;
  const contents = contextTable(new Trials(room), { shape, launch }, columns);
  return {
    json: { table: contextTableJson(contents) },
    text: (width, colors) => withLayersNote(contextTableText(contents, width, colors), check),
  };
}

function macs(check: MemoryCheck, flags: ViewFlags): View | undefined {
  const { shape, launch, room } = check;
  if (shape === undefined) return undefined;
  const inUseBytes = flags['in-use'] ?? 0;
  const found = surveyMacs(
    { shape, launch, ...(room?.beside && { beside: room.beside }) },
    { inUseBytes, fraction: flags['memory-fraction'] },
  );
  if (found.length === 0) return undefined;
  return {
    json: { machines: macsJson(found) },
    text: (_width, colors) => withLayersNote(macsText(found, inUseBytes, colors), check),
  };
}

/** Where layers are open, llama-server chooses them for each launch; rows to compare have them all alike. */
function withLayersNote(text: string, check: MemoryCheck): string {
  const layers = layersInWords(check);
  return layers === undefined ? text : `${text}\nEach row is with ${layers}.`;
}

function layersInWords(check: MemoryCheck): string | undefined {
  const layers = layersAsChosen(check);
  if (layers === undefined) return undefined;
  const count = `${layers} layer${layers === 1 ? '' : 's'}`;
  return `${count} on ${gpusInWords(check.estimate ?? { parts: [] })}, as chosen for the launch asked (--fit)`;
}

/** What is drawn beside the largest context of the answer, which may have other layers. */
function drawnWith(check: MemoryCheck, drawn: number | undefined, width: number): readonly string[] {
  const layers = layersInWords(check);
  if (layers === undefined) return [];
  const { largest } = check;
  const anew =
    largest === undefined || largest === drawn
      ? ''
      : `; with those chosen for each context, up to ${largest} tokens fit`;
  return wrapWords(`Drawn with ${layers}${anew}.`.split(' '), width);
}

function pictures(check: MemoryCheck): View | undefined {
  const { shape, launch, room, verdict } = check;
  if (shape === undefined || room === undefined || verdict.kind === 'unknown') return undefined;
  const trials = new Trials(room);
  const points = contextCurve(trials, { shape, launch }, CHART_POINTS);
  const largest = largestOf({ shape, launch, room, verdict }, trials);
  const decisive = limitOfCurve(points);
  return {
    json: {
      chart: {
        points: points.map(({ tokens, verdict: { limits } }) => ({
          tokens,
          requirementBytes: decisive === undefined ? null : (sameLimit(limits, decisive)?.requiredBytes ?? null),
        })),
        ...(decisive && limitNameJson(decisive)),
        largestContext: largest ?? null,
        gpuLayers: verdict.estimate.resolved.gpuLayers,
      },
    },
    text: (width, colors) =>
      [
        memoryBars(verdict, room.host, width, colors),
        '',
        contextChart(points, largest, { columns: chartColumns(width), width, colors }),
        ...drawnWith(check, largest, width),
      ].join('\n'),
  };
}
