const NUMBERED = /^([^{]*?\.)(0|[1-9]\d{0,4})(\..*)$/;
const PLACE = '{i}';

/** `blk.7.attn_k.weight` as the pattern `blk.{i}.attn_k.weight` and 7; undefined for names without a block number. */
export function splitBlockNumber(name: string): { pattern: string; block: number } | undefined {
  const match = NUMBERED.exec(name);
  return match === null ? undefined : { pattern: `${match[1]}${PLACE}${match[3]}`, block: Number(match[2]) };
}

export function withBlockNumber(pattern: string, block: number): string {
  return pattern.replace(PLACE, String(block));
}
