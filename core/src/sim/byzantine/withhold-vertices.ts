/** Own vertices go to some or to nobody; who asks for them gets them late or never. */
import type { Behaviour } from './behaviour.ts';
import { kindOf, others } from './forgery.ts';

const SO_OFTEN = 500_000;
const ANSWERS_LOST = 500_000;
const MAX_LATE_MS = 4_000;

export const withholdVertices = (): Behaviour => ({
  versions(draft, stage) {
    const vertex = draft.on(0);
    if (!stage.prng.chance(SO_OFTEN)) return [{ line: 0, vertex }];
    const all = others(stage);
    const count = stage.prng.below(all.length);
    const from = stage.prng.below(all.length);
    const to = Array.from({ length: count }, (_, i) => all[(from + i) % all.length] ?? 0);
    return [{ line: 0, vertex, to }];
  },
  send(out, { prng }) {
    if (out.to === undefined || kindOf(out.message) !== 'vertex') return [out];
    if (prng.chance(ANSWERS_LOST)) return [];
    return [{ ...out, afterMs: prng.below(MAX_LATE_MS) }];
  },
});
