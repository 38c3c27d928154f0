import { CheckIncompleteError } from '../errors.js';
import type { MetadataScalar, MetadataValue, SkippedArray } from '../gguf/header.js';

/** What llama.cpp keeps in 32 bits without a sign, as it does nearly all it reads. */
const MAX_AMOUNT = 2 ** 32 - 1;

/** Typed access to a header's metadata; keys without a known prefix are looked up under the architecture's name. */
export class Keys {
  constructor(
    readonly metadata: ReadonlyMap<string, MetadataValue>,
    readonly architecture: string,
    /** What values are written as, where the file itself was read. */
    readonly types?: ReadonlyMap<string, string> | undefined,
  ) {}

  /** The same metadata, looked up under another name. */
  under(architecture: string): Keys {
    return new Keys(this.metadata, architecture, this.types);
  }

  raw(key: string): MetadataValue | undefined {
    return this.metadata.get(`${this.architecture}.${key}`) ?? this.metadata.get(key);
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined;
  }

  /**
   * A count or an amount: never below 0, never beyond 32 bits.
   * @throws CheckIncompleteError if the key is there with another type or an impossible value.
   */
  number(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return Number(value);
    if (!isAmount(value)) throw wrongType(key, 'a number from 0 to 2^32');
    return value;
  }

  /**
   * Any number at all, such as a scale or a cap.
   * @throws CheckIncompleteError if the key is there with another type.
   */
  real(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === undefined) return fallback;
    if (typeof value !== 'number') throw wrongType(key, 'a number');
    return value;
  }

  /** @throws CheckIncompleteError if the key is missing, has another type or an impossible value. */
  required(key: string): number {
    if (!this.has(key)) {
      throw new CheckIncompleteError(
        'MODEL_KEY_MISSING',
        `The header lacks ${this.architecture}.${key}, so llama.cpp would not load it; use a complete GGUF file of this model.`,
      );
    }
    return this.number(key, 0);
  }

  text(key: string): string | undefined {
    const value = this.raw(key);
    return typeof value === 'string' ? value : undefined;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw(key);
    return value === undefined ? fallback : Boolean(value);
  }

  /** One number for each layer: an array as it is, a scalar for all. */
  perLayer(key: string, layers: number, fallback: number): number[] {
    const value = this.raw(key);
    if (isArray(value)) {
      const numbers = value.map((item) => (typeof item === 'boolean' ? Number(item) : item));
      if (numbers.length !== layers || !numbers.every(isAmount)) throw wrongType(key, `${layers} numbers, one a layer`);
      return numbers;
    }
    return new Array<number>(layers).fill(this.number(key, fallback));
  }

  /** The same of numbers of any size, such as limits. */
  realPerLayer(key: string, layers: number, fallback: number): number[] {
    const value = this.raw(key);
    if (!isArray(value)) return new Array<number>(layers).fill(this.real(key, fallback));
    const numbers = value.filter((item) => typeof item === 'number');
    if (numbers.length !== layers || value.length !== layers) throw wrongType(key, `${layers} numbers, one a layer`);
    return numbers;
  }

  /** An array of whole numbers for the first layers, negative ones among them; undefined where there is no array (`get_arr`). */
  indices(key: string): readonly number[] | undefined {
    const value = this.raw(key);
    if (!isArray(value)) return undefined;
    const numbers = value.filter((item) => typeof item === 'number');
    if (numbers.length !== value.length) throw wrongType(key, 'a list of numbers');
    return numbers;
  }

  /** An array of truth values for each layer, or undefined where there is none. */
  flags(key: string, layers: number): boolean[] | undefined {
    const value = this.raw(key);
    if (!isArray(value)) return undefined;
    return Array.from({ length: layers }, (_, i) => Boolean(value[i]));
  }

  /** The same where one value stands for all layers, too. */
  flagEach(key: string, layers: number): boolean[] | undefined {
    const value = this.raw(key);
    if (isArray(value) || value === undefined) return this.flags(key, layers);
    return new Array<boolean>(layers).fill(Boolean(value));
  }

  /** The numbers of an array; none where there is no array. */
  list(key: string): readonly number[] {
    const value = this.raw(key);
    return isArray(value) ? value.map(Number) : [];
  }

  arrayLength(key: string): number | undefined {
    const value = this.raw(key);
    if (isArray(value)) return value.length;
    return isSkipped(value) ? value.length : undefined;
  }
}

function isAmount(value: MetadataValue | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_AMOUNT;
}

function isArray(value: MetadataValue | undefined): value is readonly MetadataScalar[] {
  return Array.isArray(value);
}

function isSkipped(value: MetadataValue | undefined): value is SkippedArray {
  return typeof value === 'object' && 'skipped' in value;
}

function wrongType(key: string, wanted: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_KEY_TYPE',
    `The header's ${key} is not ${wanted}, so the model cannot be sized; use a GGUF file that llama.cpp loads.`,
  );
}
