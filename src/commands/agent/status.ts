import { existsSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import { runCommand, serviceControl } from '../../lib/cli/agent/service-control.js';
import { BaseCommand } from '../../lib/cli/base-command.js';

const ANSWER_MS = 3_000;

export default class AgentStatus extends BaseCommand {
  static override description = 'Whether it is installed and runs, and whether it reaches the Kubernetes API.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = {
    port: Flags.string({ default: '9090', description: 'port that the agent answers on', env: 'LLMKUBE_AGENT_PORT' }),
  };
  static override summary = 'show how the agent of this machine is';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AgentStatus);
    const { manager, home, uid } = serviceControl();
    const file = manager.file(home);
    const installed = existsSync(file);
    const answers = await ask(`http://127.0.0.1:${flags.port}/readyz`);
    this.log(installed ? `installed: ${file}` : 'installed: no');
    this.log(`answers on port ${flags.port}: ${answers ?? 'no'}`);
    if (installed) this.log(runCommand(manager.status(uid)).text);
    if (answers !== 'ok') process.exitCode = 1;
    return { installed, file, ready: answers === 'ok', answer: answers ?? null };
  }
}

async function ask(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return (await answer.text()).trim();
  } catch {
    return undefined;
  }
}
