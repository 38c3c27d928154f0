import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

const PREFIX = 'llmkube_metal_agent_';
const SERVICE = ['name', 'namespace'] as const;

/** What a scrape asks of the agent at that moment. */
export interface MetricSources {
  readonly services: () => readonly ServiceFigures[];
  readonly budgetBytes: () => Promise<number>;
  readonly watchFailures: () => number;
  readonly pressureLevel: () => number;
  readonly availableBytes: () => Promise<number | undefined>;
}

/** Bytes; undefined where it is not known. */
export interface ServiceFigures {
  /** `namespace/name`. */
  readonly key: string;
  readonly running: boolean;
  readonly healthy: boolean;
  readonly restarts: number;
  readonly estimatedBytes: number | undefined;
  readonly measuredBytes: number | undefined;
  readonly residentBytes: number | undefined;
}

/** The names of LLMKube's own agent where they mean the same. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const ofServices = (name: string, help: string, value: (figures: ServiceFigures) => number | undefined): void => {
    new Gauge({
      ...{ name: `${PREFIX}${name}`, help, labelNames: SERVICE, registers },
      collect() {
        this.reset();
        for (const figures of sources.services()) {
          const found = value(figures);
          const [namespace = '', service = ''] = figures.key.split('/');
          if (found !== undefined) this.set({ namespace, name: service }, found);
        }
      },
    });
  };
  const single = (name: string, help: string, value: () => number | undefined | Promise<number | undefined>): void => {
    new Gauge({
      ...{ name: `${PREFIX}${name}`, help, registers },
      async collect() {
        const found = await value();
        if (found !== undefined) this.set(found);
      },
    });
  };
  single(
    'managed_processes',
    'llama-server processes of this agent',
    () => sources.services().filter(({ running }) => running).length,
  );
  single('memory_budget_bytes', 'memory that services may use on this host', sources.budgetBytes);
  single('system_memory_available_bytes', 'memory that is not in use', sources.availableBytes);
  single('memory_pressure_level', '0 normal, 1 warning, 2 critical', sources.pressureLevel);
  single('watch_consecutive_failures', 'watches that failed one after the other', sources.watchFailures);
  ofServices('process_healthy', 'answers /health', ({ running, healthy }) => (running ? Number(healthy) : undefined));
  ofServices('memory_estimated_bytes', 'what the process was promised', ({ estimatedBytes }) => estimatedBytes);
  ofServices(
    'memory_measured_bytes',
    'buffers that llama-server said it allocated',
    ({ measuredBytes }) => measuredBytes,
  );
  ofServices('process_rss_bytes', 'resident memory', ({ residentBytes }) => residentBytes);
  new Counter({
    ...{ name: `${PREFIX}process_restarts_total`, help: 'ends that nobody asked for', labelNames: SERVICE, registers },
    collect() {
      this.reset();
      for (const { key, restarts } of sources.services()) {
        const [namespace = '', name = ''] = key.split('/');
        this.inc({ namespace, name }, restarts);
      }
    },
  });
  return registry;
}
