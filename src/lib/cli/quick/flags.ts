/*
 * Stands for `@oclif/core/flags` in the quick start: the same objects, without what oclif loads beside them.
 */

type Options = Readonly<Record<string, unknown>>;
type Parse = (input: string, context: unknown, flag: IntegerBounds) => Promise<unknown>;

interface IntegerBounds {
  readonly min?: number;
  readonly max?: number;
}

/** What oclif's own parser takes for a mistake of the user. */
class NotAnInteger extends Error {
  readonly oclif = { exit: 2 };
}

export function custom(defaults: Options = {}) {
  return (options: Options = {}) => ({
    parse: asTyped,
    ...defaults,
    ...options,
    input: [],
    multiple: Boolean(options.multiple ?? defaults.multiple),
    type: 'option',
  });
}

export function option(defaults: Options) {
  return custom(defaults);
}

export const string = custom();

export const integer = custom({
  parse: (async (input, _context, { min, max }) => {
    if (!/^-?\d+$/.test(input)) throw new NotAnInteger(`Expected an integer but received: ${input}`);
    const number = Number.parseInt(input, 10);
    if (min !== undefined && number < min)
      throw new NotAnInteger(`Expected an integer greater than or equal to ${min} but received: ${input}`);
    if (max !== undefined && number > max)
      throw new NotAnInteger(`Expected an integer less than or equal to ${max} but received: ${input}`);
    return number;
  }) satisfies Parse,
});

export function boolean(options: Options = {}) {
  return { parse: asTyped, ...options, allowNo: Boolean(options.allowNo), type: 'boolean' };
}

async function asTyped(input: unknown): Promise<unknown> {
  return input;
}
