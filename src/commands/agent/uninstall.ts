import { existsSync, rmSync } from 'node:fs';
import { runAll, serviceControl } from '../../lib/cli/agent/service-control.js';
import { BaseCommand } from '../../lib/cli/base-command.js';

export default class AgentUninstall extends BaseCommand {
  static override description = `Ends the agent and removes what \`agent install\` has written. Servers that run go on: \`llmkube ledger\` shows them.`;
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override summary = 'no longer keep the agent running on this machine';

  async run(): Promise<unknown> {
    await this.parse(AgentUninstall);
    const { manager, home, uid } = serviceControl();
    const file = manager.file(home);
    const wasThere = existsSync(file);
    if (wasThere) {
      runAll(manager.stop(file, uid));
      rmSync(file, { force: true });
    }
    this.log(wasThere ? `removed ${file}` : 'it was not installed');
    return { file, removed: wasThere };
  }
}
