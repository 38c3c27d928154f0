import { readdirSync, readFileSync } from 'node:fs';
import { readStandardInput } from '../../../src/lib/read-regular-file.js';
import { parseServerLog } from '../../../src/lib/runtime/server-log.js';
import { damagedBytes } from '../headers/headers.js';
import { printedAsJson } from '../making/harmless.js';
import { Finding, type Subject } from '../subject.js';

const LOGS = new URL('../../../../../test/fixtures/logs/', import.meta.url).pathname;
const WHOLE = readdirSync(LOGS).map((name) => readFileSync(LOGS + name));
const MOST = 2 ** 20;

/** A log that is piped in: any bytes, in any pieces, of any length. */
export const standardInput: Subject = {
  name: 'standard input',
  run: async (random) => {
    const bytes = damagedBytes(random.pick(WHOLE), random);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.int(random.pick([2, 4096, bytes.length]));
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    const text = await readStandardInput(MOST, pieces);
    if (text !== Buffer.from(bytes).toString('utf8')) throw new Finding('it is read otherwise in pieces');
    printedAsJson(parseServerLog(text));
    let taken = 0;
    const endless = function* () {
      for (;;) {
        taken += 65_536;
        yield new Uint8Array(65_536);
      }
    };
    await readStandardInput(MOST, endless()).catch(() => undefined);
    if (taken > 2 * MOST) throw new Finding(`${taken} bytes were read of something endless`);
  },
};
