/** Stands for `Args.string` of `@oclif/core/args` in the quick start. */
export function string(options: Readonly<Record<string, unknown>> = {}) {
  return { parse: async (input: string) => input, ...options, input: [], type: 'option' };
}
