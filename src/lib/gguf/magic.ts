import { printable } from '../printable.js';

/** How other files start that people mistake for GGUF, and what they are. */
const OTHER_FILES: readonly (readonly [RegExp, string])[] = [
  [/^(lmgg|fmgg|tjgg|algg)/, 'it is a GGML file of the time before GGUF; use a newer conversion of the model'],
  [/^\s*<(!|h|\?)/i, 'it is a web page, perhaps of a login or an error; check the address'],
  [/^vers/, 'it is a Git LFS pointer; fetch the file itself, for instance with "git lfs pull"'],
  [/^PK/, 'it is a zip archive, such as a PyTorch checkpoint; convert the model to GGUF'],
  [/^\{/, 'it is JSON; check the address'],
];

/** What a file that starts with these characters is instead of GGUF. */
export function describeMagic(start: string): string {
  const known = OTHER_FILES.find(([pattern]) => pattern.test(start));
  return known?.[1] ?? `it starts with "${printable(start)}"`;
}
