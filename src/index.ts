export { readGgufHeader } from './lib/source/read-header.js';
export { describeModel } from './lib/model/describe-model.js';
export { estimateMemory } from './lib/estimate/estimate-memory.js';
