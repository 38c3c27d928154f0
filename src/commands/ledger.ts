import { BaseCommand } from '../lib/cli/base-command.js';
import { promisedHere } from '../lib/guard/ledger/measure-beside-ledger.js';
import { ledgerJson } from '../lib/report/json/ledger-json.js';
import { ledgerText } from '../lib/report/text/ledger-text.js';

export default class Ledger extends BaseCommand {
  static override description = `Lists the memory of this machine that is promised to programs which \`exec\` has started and that run: to whom, how much, \
since when, and whether it is promised (the program may still be loading) or resident (it has loaded). Both count in full \
in every check on this machine.`;
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override summary = 'show what memory of this machine is promised, and to whom';

  async run(): Promise<Record<string, unknown>> {
    await this.parse(Ledger);
    const promised = promisedHere();
    this.log(ledgerText(promised));
    if (promised.warning !== undefined) this.notice(`Note: ${promised.warning}`);
    return ledgerJson(promised);
  }
}
