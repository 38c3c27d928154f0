import type { MemoryPressure } from '../host/memory-pressure.js';
import { evictionTarget, type EvictionCandidate } from './core/eviction.js';
import { pressureCondition, type OwnCondition } from './core/memory-fit.js';
import type { AgentLog } from './log.js';

const EVICTION_PAUSE_MS = 30_000;
const LEVELS = ['normal', 'warning', 'critical'] as const;

interface PressureMeans {
  /** Undefined where the system does not say. */
  readonly measure: () => Promise<MemoryPressure | undefined>;
  readonly log: AgentLog;
  /** Under critical pressure services are ended, one after the other. */
  readonly eviction: boolean;
}

interface PressedServices {
  readonly evictable: () => readonly EvictionCandidate[];
  readonly evict: (key: string, why: string) => void;
  /** To be told with every service. */
  readonly onChange: (condition: OwnCondition) => void;
  readonly onOver: () => void;
}

/** How the memory of this host is doing, and what follows from that for its services. */
export class PressureWatch {
  #now: MemoryPressure | undefined;
  #evictedAtMs = -Infinity;

  constructor(
    private readonly means: PressureMeans,
    private readonly services: PressedServices,
  ) {}

  /** 0 normal, 1 warning, 2 critical. */
  get level(): number {
    return LEVELS.indexOf(this.#now?.level ?? 'normal');
  }

  /** Why nothing new may be started. */
  get critical(): string | undefined {
    return this.#now?.level === 'critical' ? this.#now.text : undefined;
  }

  /** Looks, and says what has changed, the way back to normal too. */
  async look(): Promise<void> {
    const before = this.#now?.level ?? 'normal';
    this.#now = await this.means.measure();
    if (this.critical !== undefined) this.#evictOne(this.critical);
    if (this.#now === undefined || this.#now.level === before) return;
    const { level, text } = this.#now;
    this.means.log.warn('memory pressure', { level, text });
    this.services.onChange(pressureCondition(this.#now));
    if (level === 'normal') this.services.onOver();
  }

  /** One in half a minute, so that what it gave back can show first. */
  #evictOne(text: string): void {
    const now = performance.now();
    if (!this.means.eviction || now - this.#evictedAtMs < EVICTION_PAUSE_MS) return;
    const target = evictionTarget(this.services.evictable());
    if (target === undefined) return;
    this.#evictedAtMs = now;
    this.services.evict(target.key, `ended to give memory back: ${text}`);
  }
}
