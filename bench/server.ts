import { RangeServer } from '../test/support/servers/range-server.js';
import { benchHeader, SIZES } from './headers.js';

/** A round trip and a rate as between a home and a content network. */
const LATENCY_MS = 40;
const BYTES_PER_SECOND = 200e6 / 8;

const server = await RangeServer.start({ latencyMs: LATENCY_MS, bytesPerSecond: BYTES_PER_SECOND });
const files = SIZES.map(({ name, vocab, merges }, index) => {
  const { header, dataBytes, unpaddedBytes } = benchHeader(vocab, merges);
  const path = `/model-${index}.gguf`;
  server.serve(path, { start: header, size: header.length + dataBytes, etag: `"bench-${index}"` });
  return { name, url: server.url(path), headerBytes: unpaddedBytes };
});
process.send?.({ files });

/** Any message asks what was sent since the last one. */
process.on('message', () => {
  const requests = server.requests.splice(0);
  process.send?.({ requests: requests.length, bytes: requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0) });
});
process.on('disconnect', () => process.exit(0));
