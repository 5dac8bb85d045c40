/** Vertices of other epochs and other chains. */
import { toEpoch } from '../../types/index.ts';
import type { Behaviour } from './behaviour.ts';

const SO_OFTEN = 30_000;

export const wrongEpoch = (): Behaviour => ({
  act(stage) {
    const { newest, prng } = stage;
    if (newest === undefined || !prng.chance(SO_OFTEN)) return [];
    const epochs = [newest.epoch + 1, Math.max(0, newest.epoch - 1), newest.epoch + 1_000, 2 ** 48];
    const epoch = toEpoch(prng.pick(epochs) ?? 0);
    const chainId = prng.chance(200_000) ? newest.chainId + 1n : newest.chainId;
    return [{ to: undefined, message: stage.signed({ ...newest, epoch, chainId }) }];
  },
});
