import type { CheckDependencies } from '../preflight/check-memory.js';

/** Reads the header of each model once, however often it is asked for. */
export function readOnce(read: CheckDependencies['readHeader']): CheckDependencies['readHeader'] {
  const known = new Map<string, ReturnType<CheckDependencies['readHeader']>>();
  return (model) => {
    const found = known.get(model.source) ?? read(model);
    known.set(model.source, found);
    return found;
  };
}
