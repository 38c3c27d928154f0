const BLOCK_BYTES = 16;
/** Each lane: its two factors, how far it is turned, and what it gets at the end of a round. */
const LANES = [
  { first: 0x239b961b, second: 0xab0e9789, turnKey: 15, turn: 19, added: 0x561ccd1b },
  { first: 0xab0e9789, second: 0x38b34ae5, turnKey: 16, turn: 17, added: 0x0bcaa747 },
  { first: 0x38b34ae5, second: 0xa1e38b93, turnKey: 17, turn: 15, added: 0x96cd1c35 },
  { first: 0xa1e38b93, second: 0x239b961b, turnKey: 18, turn: 13, added: 0x32ac3b17 },
] as const;

/**
 * 32 hexadecimal digits that tell texts apart: MurmurHash3 with 128 bits (A. Appleby, `MurmurHash3_x86_128`), the last block filled
 * up with zeros. Nothing that has to withstand an attacker, who would be this user. The guard's process lives as long as its
 * server: a cryptographic hash would stay in it, and a loop over every byte has V8 load its optimizing compiler, 4 MB.
 */
export function fingerprint(text: string): string {
  const length = Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.alloc(Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES);
  bytes.write(text, 'utf8');
  const hash = [0, 0, 0, 0];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    LANES.forEach(({ first, second, turnKey, turn, added }, lane) => {
      const key = Math.imul(turned(Math.imul(bytes.readInt32LE(at + lane * 4), first), turnKey), second);
      const mixed = (turned((hash[lane] ?? 0) ^ key, turn) + (hash[(lane + 1) % LANES.length] ?? 0)) | 0;
      hash[lane] = (Math.imul(mixed, 5) + added) | 0;
    });
  }
  const whole = summed(summed(hash.map((value) => value ^ length)).map(finished));
  return whole.map((value) => (value >>> 0).toString(16).padStart(8, '0')).join('');
}

function turned(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** The first lane gets all others, and they get it. */
function summed([first = 0, ...others]: readonly number[]): readonly number[] {
  const all = others.reduce((sum, other) => (sum + other) | 0, first);
  return [all, ...others.map((other) => (other + all) | 0)];
}

function finished(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
