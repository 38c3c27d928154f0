import AgentRun from './commands/agent/run.js';
import { runQuickly } from './lib/cli/quick-start.js';

await runQuickly('agent run', AgentRun, process.argv.slice(4));
