import { constants } from 'node:os';
import { createLog, type LogLevel } from '../../lib/agent/log.js';
import { runAgent } from '../../lib/agent/agent.js';
import { CurrentLlamaServer, findLlamaServer } from '../../lib/agent/machine/llama-server.js';
import { agentFlags } from '../../lib/cli/agent/agent-flags.js';
import { printLine } from '../../lib/cli/terminal/out.js';
import { agentOptions } from '../../lib/cli/agent/options-of-flags.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { clusterChoice } from '../../lib/cli/deploy/cluster-choice.js';
import { memoryPressure } from '../../lib/host/memory-pressure.js';
import { thisMachine } from '../../lib/host/probe.js';
import { measureHost } from '../../lib/host/measure-host.js';
import { connect } from '../../lib/kube/client/client.js';

export default class AgentRun extends BaseCommand {
  static override description = `Runs the cluster's services on this host: claims each, fetches its model, checks it against the memory of this machine \
as it is now and what is promised to others on it, starts llama-server only if it fits, and says in the service's \
conditions how that went. Runs until it is ended; the servers go on, and the next agent takes them over.`;
  static override enableJsonFlag = false;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --host-ip auto',
    '<%= config.bin %> <%= command.id %> --accelerator cuda --memory-budget 64Gi -n models',
  ];
  static override flags = agentFlags;
  static override summary = 'run the services of the cluster on this host, each checked before it starts';

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentRun);
    const { cacheDir, version } = this.config;
    const options = this.said(() => agentOptions(flags, this.variables, cacheDir, version));
    const llamaServer = new CurrentLlamaServer(await findLlamaServer(flags['llama-server']));
    const format = flags['log-format'] ?? (process.stderr.isTTY ? 'text' : 'json');
    const log = createLog({
      level: flags['log-level'] as LogLevel,
      format: format as 'json' | 'text',
      write: printLine,
    });
    const signal = endingSignal(() => log.info('agent ended without an answer of the cluster; its servers go on'));
    const client = await connect(clusterChoice(flags));
    await runAgent(options, {
      client,
      llamaServer,
      measure: measureHost,
      pressure: () => memoryPressure(thisMachine),
      log,
      signal,
    });
    log.info('agent ended; its servers go on');
    process.exit(0);
  }

  /** Connections to the cluster that are kept open would keep it from ending. */
  protected override async catch(error: Error): Promise<void> {
    await super.catch(error);
    process.exit();
  }
}

/** What is under way may finish within this; a cluster that does not answer is not waited for. */
const PATIENCE_MS = 1500;

/** Aborted by the first SIGTERM or Ctrl-C, and soon after the program has ended, whatever it waits for; a second one ends it at once. */
function endingSignal(onLate: () => void): AbortSignal {
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (ending.signal.aborted) process.exit(128 + constants.signals[name]);
      ending.abort();
      setTimeout(() => {
        onLate();
        process.exit(0);
      }, PATIENCE_MS).unref();
    });
  }
  return ending.signal;
}
