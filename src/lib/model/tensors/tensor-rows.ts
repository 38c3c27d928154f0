import { DENSE_A_TO_F_ROWS } from './data/dense-a-to-f.js';
import { DENSE_G_TO_L_ROWS } from './data/dense-g-to-l.js';
import { DENSE_M_TO_T_ROWS } from './data/dense-m-to-t.js';
import { DRAFTS_ROWS } from './data/drafts.js';
import { ENCODERS_ROWS } from './data/encoders.js';
import { EXPERTS_A_TO_E_ROWS } from './data/experts-a-to-e.js';
import { EXPERTS_G_TO_H_ROWS } from './data/experts-g-to-h.js';
import { EXPERTS_L_TO_S_ROWS } from './data/experts-l-to-s.js';
import { LATENT_B_TO_D_ROWS } from './data/latent-b-to-d.js';
import { LATENT_G_TO_P_ROWS } from './data/latent-g-to-p.js';
import { RECURRENT_F_TO_M_ROWS } from './data/recurrent-f-to-m.js';
import { RECURRENT_N_TO_Q_ROWS } from './data/recurrent-n-to-q.js';
import { RWKV_ROWS } from './data/rwkv.js';
import { SPARSE_ROWS } from './data/sparse.js';
import { ARCHITECTURE_RULES } from '../architectures.js';
import { parseRows, type Row } from './rows.js';

const TEXTS: readonly string[] = [
  DENSE_A_TO_F_ROWS,
  DENSE_G_TO_L_ROWS,
  DENSE_M_TO_T_ROWS,
  DRAFTS_ROWS,
  ENCODERS_ROWS,
  EXPERTS_A_TO_E_ROWS,
  EXPERTS_G_TO_H_ROWS,
  EXPERTS_L_TO_S_ROWS,
  LATENT_B_TO_D_ROWS,
  LATENT_G_TO_P_ROWS,
  RECURRENT_F_TO_M_ROWS,
  RECURRENT_N_TO_Q_ROWS,
  RWKV_ROWS,
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
