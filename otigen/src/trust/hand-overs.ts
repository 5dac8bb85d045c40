/**
 * The hand-overs that lead from one epoch towards another, as a node tells them over JSON-RPC: where
 * epochs end, the certificates of those waves, and whom their beacons draw of the validators of
 * genesis. All of it is for `advanceHead` to verify.
 */
import { isPydeError, PydeError } from '@pyde/core/bytes';
import type { HandOver, TrustedHead } from '@pyde/core/finality';
import { drawnBy } from '@pyde/core/sync';
import type { FalconPublicKey } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { Failure } from '../output/index.ts';
import { certOf, readCertAnswer, refuse, shape } from './cert-answer.ts';
import { closingWaves, type WaveOfEpoch } from './closing-waves.ts';

/** Fetched and verified at a time; what was verified is remembered. */
export const EPOCHS_A_STRIDE = 64;
/** One of 128 members has about 120 kB of JSON. */
const CERTS_A_QUESTION = 16;

const WaveJson = v.looseObject({
  epoch: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,13}$/)),
});

/**
 * @param head where to go on from
 * @param target a wave of a later epoch
 * @param validators of genesis, in its order
 * @returns of the head's epoch and those after it, at most {@link EPOCHS_A_STRIDE}
 * @throws PydeError of an answer that is none; Failure `NotKept`
 */
export async function handOversTowards(
  client: RpcClient,
  head: TrustedHead,
  target: WaveOfEpoch,
  validators: readonly FalconPublicKey[],
): Promise<readonly HandOver[]> {
  const { epoch, members } = head.committee;
  const count = Math.min(target.epoch - epoch, EPOCHS_A_STRIDE);
  const handOvers: HandOver[] = [];
  try {
    const first = { wave: head.closingWave, epoch };
    const closing = await closingWaves(first, target, count, (waves) => epochsOf(client, waves));
    for (let at = 0; at < closing.length; at += CERTS_A_QUESTION) {
      const waves = closing.slice(at, at + CERTS_A_QUESTION);
      const answers = await client.batch(
        waves.map((wave) => ({ method: 'pyde_getHardFinalityCert', params: [Number(wave)] })),
      );
      for (const [i, wave] of waves.entries()) {
        const size = handOvers.at(-1)?.members.length ?? members.length;
        const closed = epoch + handOvers.length;
        handOvers.push(handOverOf(answers[i], { wave, epoch: closed }, size, validators));
      }
    }
  } catch (error) {
    throw isPydeError(error) && error.details['code'] === 'rpc.wave-pruned'
      ? notKept(client, epoch, error.message)
      : error;
  }
  return handOvers;
}

async function epochsOf(client: RpcClient, waves: readonly bigint[]): Promise<readonly number[]> {
  const answers = await client.batch(
    waves.map((wave) => ({ method: 'pyde_getWave', params: [Number(wave)] })),
  );
  return answers.map((answer) => Number(shape(WaveJson, answer).epoch));
}

function handOverOf(
  answer: unknown,
  { wave, epoch }: WaveOfEpoch,
  size: number,
  validators: readonly FalconPublicKey[],
): HandOver {
  try {
    if (answer === null) throw refuse('the node has no certificate of it');
    const cert = readCertAnswer(answer, wave);
    const { nextBeacon } = cert.record;
    if (nextBeacon === undefined) throw refuse('its record closes no epoch');
    return { closing: certOf(cert, size), members: drawnBy(nextBeacon, validators) };
  } catch (error) {
    if (!isPydeError(error)) throw error;
    const message = `wave ${wave}, said to close epoch ${epoch}: ${error.message}`;
    throw new PydeError(error.code, message, error.details);
  }
}

const notKept = (client: RpcClient, epoch: number, why: string): Failure =>
  new Failure('resource', 'NotKept', `the node keeps no way on from epoch ${epoch}: ${why}`, {
    details: { url: client.url },
    next: 'ask a node that keeps all waves (an archive), or one that is older',
  });
