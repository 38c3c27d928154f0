// Asks llama.cpp's own simulation what it would allocate on the CPU. Standard input: a JSON array of launches
// {file, ctx, sequences, ubatch, flashAttention, cacheType}; standard output: an array of {model, context} in bytes.
import { getLlama, GgufInsights, GgmlType, readGgufFileInfo } from 'node-llama-cpp';

const failures = [];
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  logger: (_, message) => failures.push(message),
});

async function answer({ file, ctx, sequences, ubatch, flashAttention, cacheType }) {
  const insights = await GgufInsights.from(await readGgufFileInfo(file), llama);
  failures.length = 0;
  const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0, useMmap: false });
  const context = await insights.estimateContextResourceRequirementsV2({
    contextSize: ctx,
    modelGpuLayers: 0,
    batchSize: ubatch,
    sequences,
    flashAttention,
    kvCacheKeyType: GgmlType[cacheType],
    kvCacheValueType: GgmlType[cacheType],
    useMmap: false,
  });
  const fallback = failures.find((message) => message.includes('Failed simulating'));
  return fallback ? { error: fallback } : { model: model.cpuRam, context: context.cpuRam };
}

let text = '';
for await (const chunk of process.stdin) text += chunk;
const answers = [];
for (const launch of JSON.parse(text)) answers.push(await answer(launch));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
