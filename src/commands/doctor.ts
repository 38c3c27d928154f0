import { BaseCommand } from '../lib/cli/base-command.js';
import { diagnose, type Diagnosis } from '../lib/cli/doctor/diagnose.js';
import { doctorText } from '../lib/cli/doctor/doctor-text.js';
import { terminalWidth } from '../lib/cli/terminal/terminal-width.js';

export default class Doctor extends BaseCommand {
  static override description = `Versions, this machine's memory and limits, who holds it, what is promised, llama-server, cache, proxies and cluster, on one \
page to paste into a report. Nothing is contacted, and nothing secret is shown: of proxies host and port, of other variables \
only that they are set.`;
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override summary = 'say what this program sees of this machine';

  async run(): Promise<Diagnosis> {
    await this.parse(Doctor);
    const diagnosis = await diagnose(this.config, process.env);
    this.log(doctorText(diagnosis, terminalWidth(process.stdout)));
    return diagnosis;
  }
}
