import { CheckIncompleteError } from '../../errors.js';

/** What keeps llama.cpp from loading a file, found in its header. */
type LoadErrorCode =
  | 'MODEL_BYTE_ORDER'
  | 'MODEL_COUNT_INVALID'
  | 'MODEL_KEY_MISSING'
  | 'MODEL_KEY_TYPE'
  | 'MODEL_ROPE_INVALID'
  | 'MODEL_TOKENIZER_INVALID'
  | 'MODEL_TENSOR_MISSING'
  | 'MODEL_TENSOR_SHAPE'
  | 'MODEL_TENSOR_UNUSED';

/** llama-server would refuse the file, so there is nothing to check. `reason` is llama.cpp's own, where it gives one. */
export function refusedByLoader(code: LoadErrorCode, reason: string): CheckIncompleteError {
  return new CheckIncompleteError(code, `llama.cpp does not load this file: ${reason}`, {
    suggestions: ['fetch the file again, or use another conversion of the model'],
  });
}
