const BLOCK = /^(?:enc\.|dec\.)?blk\.(\d+)\./;

/** The block that a tensor's name puts it in. */
export function layerOf(name: string): number | undefined {
  const match = BLOCK.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** A tensor's name without its block, which all layers share. */
export function nameInBlock(name: string): string {
  return name.replace(BLOCK, '');
}
