import { DENSE_1_ROWS } from './data/dense-1.js';
import { DENSE_2_ROWS } from './data/dense-2.js';
import { DENSE_3_ROWS } from './data/dense-3.js';
import { DRAFTS_ROWS } from './data/drafts.js';
import { ENCODERS_ROWS } from './data/encoders.js';
import { EXPERTS_1_ROWS } from './data/experts-1.js';
import { EXPERTS_2_ROWS } from './data/experts-2.js';
import { EXPERTS_3_ROWS } from './data/experts-3.js';
import { LATENT_ROWS } from './data/latent.js';
import { LATENT_2_ROWS } from './data/latent-2.js';
import { RECURRENT_1_ROWS } from './data/recurrent-1.js';
import { RECURRENT_2_ROWS } from './data/recurrent-2.js';
import { RECURRENT_3_ROWS } from './data/recurrent-3.js';
import { SPARSE_ROWS } from './data/sparse.js';
import { ARCHITECTURE_RULES } from '../architectures.js';
import { parseRows, type Row } from './rows.js';

const TEXTS: readonly string[] = [
  DENSE_1_ROWS,
  DENSE_2_ROWS,
  DENSE_3_ROWS,
  DRAFTS_ROWS,
  ENCODERS_ROWS,
  EXPERTS_1_ROWS,
  EXPERTS_2_ROWS,
  EXPERTS_3_ROWS,
  LATENT_ROWS,
  LATENT_2_ROWS,
  RECURRENT_1_ROWS,
  RECURRENT_2_ROWS,
  RECURRENT_3_ROWS,
  SPARSE_ROWS,
];

const parsed = new Map<string, readonly Row[]>();

/** Which layers are recurrent or have windows is known only of architectures that have a rule. */
const ASKS_FOR_KINDS = /\b(is_recr|is_swa|has_kv|is_indexer_full)\[/;

/** What an architecture loads; undefined for one that is not written down, or not well enough known. */
export function tensorRows(architecture: string): readonly Row[] | undefined {
  const known = parsed.get(architecture);
  if (known !== undefined) return known;
  const lines = linesOf(architecture);
  if (lines === undefined) return undefined;
  if (ARCHITECTURE_RULES[architecture] === undefined && lines.some((line) => ASKS_FOR_KINDS.test(line)))
    return undefined;
  const rows = parseRows(lines);
  parsed.set(architecture, rows);
  return rows;
}

/** A line that is not indented names the architectures that load what follows. */
function linesOf(architecture: string): string[] | undefined {
  for (const text of TEXTS) {
    const lines = text.trimEnd().split('\n');
    const start = lines.findIndex((line) => !line.startsWith(' ') && line.split(' ').includes(architecture));
    if (start < 0) continue;
    const length = lines.slice(start + 1).findIndex((line) => !line.startsWith(' '));
    return lines.slice(start + 1, length < 0 ? lines.length : start + 1 + length);
  }
  return undefined;
}
