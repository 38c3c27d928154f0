import { isObject } from '../../is-object.js';

/** The types that are relied on when an object from outside is read; everything else in it is passed over. */
export type Shape =
  'string' | 'number' | 'boolean' | 'object' | 'strings' | { readonly [key: string]: Shape } | readonly [Shape];

/** Where a value is not of its shape, and what it should be, to follow "whose"; undefined where it is. */
export function mismatch(value: unknown, shape: Shape, at: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const wrong = (wanted: string): string => `${at} is not ${wanted}`;
  if (typeof shape === 'string') {
    if (shape === 'strings') {
      return isObject(value) && Object.values(value).every((text) => typeof text === 'string')
        ? undefined
        : wrong('texts');
    }
    if (shape === 'object') return isObject(value) ? undefined : wrong('an object');
    return typeof value === shape ? undefined : wrong(`a ${shape}`);
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return wrong('a list');
    return first(
      value.map((item, index) =>
        item === null ? `${at}[${index}] is nothing` : mismatch(item, shape[0], `${at}[${index}]`),
      ),
    );
  }
  if (!isObject(value)) return wrong('an object');
  return first(
    Object.entries(shape).map(([key, child]) => mismatch(value[key], child, at === '' ? key : `${at}.${key}`)),
  );
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}
