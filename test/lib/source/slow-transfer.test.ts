import { expect, test } from '@jest/globals';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { bigModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';

test('a transfer that never stops for long is read to its end, however long it takes', async () => {
  const server = await RangeServer.start();
  const { start, size } = bigModel();
  server.handle('/model.gguf', async (_, response) => {
    const total = size ?? start.length;
    response.writeHead(206, {
      'content-range': `bytes 0-${total - 1}/${total}`,
      'content-length': total,
      etag: '"v1"',
    });
    const pieces = 8;
    for (let piece = 0; piece < pieces; piece++) {
      const at = (end: number) => Math.floor((start.length * end) / pieces);
      response.write(start.subarray(at(piece), at(piece + 1)));
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  });
  const patient = { timeouts: { connectMs: 2000, firstByteMs: 2000, idleMs: 1500 } };
  expect(
    (await readModelHeader({ kind: 'http', url: server.url('/model.gguf') }, patient)).header.tensors,
  ).toHaveLength(1);
  expect(server.requests).toHaveLength(1);
  await server.close();
});
