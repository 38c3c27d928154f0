/** `$$`, or a whole reference `$(NAME)`; any other dollar is one. */
const DOLLAR = /\$\$|\$\(([^)]*)\)/g;

/**
 * A value of `env` with `$(NAME)` replaced by what earlier variables hold, as Kubernetes does: one that is not known stays as it is
 * written, and `$$` is a dollar, so that `$$(NAME)` is no reference (`Expand` in `third_party/forked/golang/expansion/expand.go`).
 * @param valueOf of earlier variables only
 */
export function withReferences(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(DOLLAR, (written, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? written),
  );
}

/** The names that a value refers to. */
export function referencesIn(text: string): readonly string[] {
  return [...text.matchAll(DOLLAR)].flatMap(([, name]) => name ?? []);
}
