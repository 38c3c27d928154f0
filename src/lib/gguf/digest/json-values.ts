import type { MetadataScalar, MetadataValue, SkippedArray } from '../header.js';
import { MAX_KEPT_ELEMENTS } from '../limits.js';

/** A number that JSON has no word for. */
interface NonFinite {
  readonly number: 'NaN' | 'Infinity' | '-Infinity';
}

type JsonScalar = MetadataScalar | NonFinite;

/** A metadata value as JSON can carry it. */
export type JsonValue = JsonScalar | readonly JsonScalar[] | SkippedArray;

const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

export function toJsonValue(value: MetadataValue): JsonValue {
  if (typeof value !== 'object') return toJsonScalar(value);
  return 'skipped' in value ? value : value.map(toJsonScalar);
}

/** What `toJsonValue` made, or undefined for anything else; `json` may be whatever `JSON.parse` gave. */
export function fromJsonValue(json: unknown): MetadataValue | undefined {
  if (!Array.isArray(json)) return fromJsonScalar(json) ?? skippedArray(json);
  if (json.length > MAX_KEPT_ELEMENTS) return undefined;
  const values = json.map(fromJsonScalar);
  return values.every((value) => value !== undefined) ? values : undefined;
}

function toJsonScalar(value: MetadataScalar): JsonScalar {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return { number: String(value) as NonFinite['number'] };
}

function fromJsonScalar(json: unknown): MetadataScalar | undefined {
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') return Number.isFinite(json) ? json : undefined;
  return isObject(json) ? NON_FINITE.get(json.number) : undefined;
}

function skippedArray(json: unknown): SkippedArray | undefined {
  if (!isObject(json) || json.skipped !== true) return undefined;
  const { length } = json;
  return Number.isSafeInteger(length) && Number(length) >= 0 ? { skipped: true, length: Number(length) } : undefined;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}
