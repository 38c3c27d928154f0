import { formatSize } from '../../report/words/bytes.js';
import type { ReadOptions } from '../../source/session.js';
import { interruptible } from './interrupt.js';
import { startProgress } from './progress.js';

type Watch = Required<Pick<ReadOptions, 'signal' | 'onProgress'>>;

/**
 * Reads until it is done or interrupted, with a spinner that says how far it is.
 * @throws InterruptedError
 */
export async function watchReading<T>(text: string, quiet: boolean, read: (watch: Watch) => Promise<T>): Promise<T> {
  const progress = startProgress(text, quiet);
  const onProgress: Watch['onProgress'] = ({ receivedBytes }) => {
    progress.update(`${text} (${formatSize(receivedBytes)})`);
  };
  try {
    return await interruptible((signal) => read({ signal, onProgress }));
  } finally {
    progress.stop();
  }
}
