import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Why a file was not read, where the system has no code for it. */
export class UnreadableFileError extends Error {}

/**
 * The text of a regular file of at most so many bytes. Never waits: pipes and devices are refused, since one that is
 * waited for outlives every signal.
 * @throws UnreadableFileError, or the system's own error
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<string> {
  // Without O_NONBLOCK, opening a named pipe waits for somebody to write to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw new UnreadableFileError('it is a folder');
    if (!found.isFile()) throw new UnreadableFileError('it is not a file but a device or a pipe');
    const buffer = Buffer.alloc(Math.min(found.size, maxBytes) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.toString('utf8', 0, length);
      length += bytesRead;
    }
    // Files under /proc say that they are empty; what is longer than it says is not read either.
    throw new UnreadableFileError(`it is longer than ${Math.min(found.size, maxBytes)} bytes`);
  } finally {
    await file.close();
  }
}

/**
 * What is piped in, of at most so many bytes.
 * @throws UnreadableFileError
 */
export async function readStandardInput(
  maxBytes: number,
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = process.stdin,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of input) {
    received += chunk.length;
    if (received > maxBytes) throw new UnreadableFileError(`it is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
