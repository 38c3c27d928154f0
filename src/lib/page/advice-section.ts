import { advise } from '../preflight/advice/advise.js';
import { typedChanges } from '../preflight/advice/typed-changes.js';
import { adviceHeading, suggestionWords } from '../report/words/advice-text.js';
import { type PageAnswer, type PageModel, questionOf } from './answer.js';
import type { Controls } from './controls/controls.js';
import { wholeText } from './html.js';

/** What would fit, by the search that advises in the terminal; nothing where nothing is refused, or a fit cannot be claimed. */
export function adviceHtml(model: PageModel, controls: Controls, answer: PageAnswer): string {
  if (answer.kind === 'refused' || answer.verdict.kind !== 'does-not-fit' || model.input.uncounted !== null) return '';
  const { shape, launch, trials } = questionOf(model, controls);
  const variants = model.variants.filter(({ quantization }) => quantization !== controls.quantization);
  const found = advise({ shape, launch, room: trials.room, variants, trials });
  const advice = found.map((one) => ({ ...one, ...typedChanges(one.changes, model.input.extraWords) }));
  if (advice.length === 0)
    return '<p>Nothing that was tried makes it fit: use a smaller model or a larger machine.</p>';
  const { estimate, limits } = answer.verdict;
  const asked = { resolved: estimate.resolved, limit: limits[0], fileBytes: shape.fileBytes };
  const items = advice.map((one) => {
    const { amount, words, why } = suggestionWords(one, asked);
    const typed = words.length === 0 ? '' : `<code>${wholeText(words.join(' '))}</code> `;
    return `<li>${typed}<span>${amount}: ${wholeText(why)}</span></li>`;
  });
  return `<p>${wholeText(adviceHeading(advice))}</p><ul>${items.join('')}</ul>`;
}
