// node-llama-cpp's own estimate from a header (V1, without simulation). Standard input: a JSON array of launches {file, ctx,
// sequences, ubatch, flashAttention, cacheTypeK, cacheTypeV, gpuLayers, swaFull, embedding}; output: total bytes of each.
import { getLlama, GgufInsights, GgmlType, readGgufFileInfo } from 'node-llama-cpp';

const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'disabled' });
const insights = new Map();

async function insightsOf(file) {
  if (!insights.has(file)) insights.set(file, await GgufInsights.from(await readGgufFileInfo(file), llama));
  return insights.get(file);
}

function total({ cpuRam, gpuVram }) {
  return cpuRam + gpuVram;
}

async function answer(launch) {
  const model = await insightsOf(launch.file);
  const { gpuLayers } = launch;
  const weights = model.estimateModelResourceRequirements({ gpuLayers });
  const context = model.estimateContextResourceRequirements({
    contextSize: launch.ctx,
    modelGpuLayers: gpuLayers,
    batchSize: launch.ubatch,
    sequences: launch.sequences,
    isEmbeddingContext: launch.embedding,
    flashAttention: launch.flashAttention,
    swaFullCache: launch.swaFull,
    kvCacheKeyType: GgmlType[launch.cacheTypeK],
    kvCacheValueType: GgmlType[launch.cacheTypeV],
  });
  return total(weights) + total(context);
}

let text = '';
for await (const chunk of process.stdin) text += chunk;
const answers = [];
for (const launch of JSON.parse(text)) answers.push(await answer(launch));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
