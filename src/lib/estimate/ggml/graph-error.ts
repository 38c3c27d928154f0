import { CheckIncompleteError } from '../../errors.js';

/** A graph that ggml would not build (`GGML_ASSERT`), since the header's numbers contradict each other. */
export function graphError(problem: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_GRAPH_INVALID',
    `llama.cpp cannot run this model: the numbers in its header contradict each other (${problem}); use another conversion of the model`,
  );
}
