import type { CatalogEntry } from '../../catalog/catalog.js';

/** An entry as JSON, spelled as in the catalogue file. */
export function catalogEntryJson(entry: CatalogEntry): Record<string, unknown> {
  const { resources } = entry;
  return {
    id: entry.id,
    name: entry.name,
    description: entry.description,
    aliases: entry.aliases,
    use_cases: entry.useCases,
    size: entry.size,
    quantization: entry.quantization ?? null,
    mode: entry.mode,
    context_size: entry.contextSize ?? null,
    gpu_layers: entry.gpuLayers ?? -1,
    vram_estimate: entry.vramEstimate ?? null,
    resources: {
      cpu: resources.cpu ?? null,
      memory: resources.memory ?? null,
      gpu_memory: resources.gpuMemory ?? null,
    },
    source: entry.source,
    mmproj: entry.mmproj ?? null,
    draft: entry.draft ?? null,
    spec_type: entry.specType ?? null,
    homepage: entry.homepage ?? null,
  };
}
