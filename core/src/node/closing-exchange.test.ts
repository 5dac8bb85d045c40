import { describe, expect, it } from 'vitest';
import {
  decodeWantClosing,
  encodeClosing,
  encodeWantClosing,
  openMessage,
} from '../consensus/index.ts';
import { CHAIN_ID, GENESIS_RECORD, testCommittee } from '../consensus/testing.ts';
import { buildCert } from '../finality/index.ts';
import {
  type HardFinalityCert,
  toEpoch,
  toFalconSignature,
  toHash,
  toRound,
  toValidatorIndex,
  toWaveId,
  type WaveCommitRecord,
} from '../types/index.ts';
import { ClosingExchange } from './closing-exchange.ts';

const committee = testCommittee(4);
const signature = toFalconSignature(new Uint8Array(666).fill(0x39));
const peer = toValidatorIndex(1);
const other = toValidatorIndex(2);
const hash = toHash(new Uint8Array(32).fill(7));

const closing: WaveCommitRecord = {
  ...GENESIS_RECORD,
  waveId: toWaveId(9n),
  anchorRound: toRound(12),
  nextBeacon: hash,
  nextCommitteeHash: hash,
};
const certOf = (record: WaveCommitRecord): HardFinalityCert =>
  buildCert(
    record,
    [0, 1, 2].map((member) => ({ member, signature })),
    4,
  );

/** @param valid what every check of signatures answers */
function exchange(valid = true): { readonly node: ClosingExchange; readonly checks: () => number } {
  let checks = 0;
  const node = new ClosingExchange({
    chainId: CHAIN_ID,
    verify: (batch) => {
      checks++;
      return batch.map(() => valid);
    },
    peers: [1, 2, 3, 4, 5].map(toValidatorIndex),
  });
  return { node, checks: () => checks };
}

describe('the exchange of closing certificates', () => {
  it('takes a valid one of the epoch, once', () => {
    const { node } = exchange();
    const cert = certOf(closing);
    expect(node.take(peer, encodeClosing(cert), committee)).toEqual(cert);
    node.hold(cert);
    expect(node.take(other, encodeClosing(cert), committee)).toBeUndefined();
  });

  it('takes none of another epoch and looks at no signature of it', () => {
    const { node, checks } = exchange();
    const later = certOf({ ...closing, epoch: toEpoch(1) });
    expect(node.take(peer, encodeClosing(later), committee)).toBeUndefined();
    expect(node.take(peer, new Uint8Array(3), committee)).toBeUndefined();
    expect(checks()).toBe(0);
  });

  it('checks one bad certificate of a peer in an epoch, and still believes others', () => {
    const { node, checks } = exchange(false);
    const bytes = encodeClosing(certOf(closing));
    for (let i = 0; i < 5; i++) expect(node.take(peer, bytes, committee)).toBeUndefined();
    expect(checks()).toBe(1);
    expect(node.take(other, bytes, committee)).toBeUndefined();
    expect(checks()).toBe(2);
    expect(node.refused.get('cert.signature')).toBe(2);
    node.entered();
    node.take(peer, bytes, committee);
    expect(checks()).toBe(3);
  });

  it('takes no certificate of a wave that closes nothing', () => {
    const { node } = exchange();
    const open = { ...closing, nextBeacon: undefined, nextCommitteeHash: undefined };
    expect(node.take(peer, encodeClosing(certOf(open)), committee)).toBeUndefined();
  });

  it('answers for the epoch that it holds, and a peer only once in a while', () => {
    const { node } = exchange();
    const want = encodeWantClosing(toEpoch(0));
    expect(node.answer(peer, want, 0)).toBeUndefined();
    const message = node.hold(certOf(closing));
    expect(openMessage(message).kind).toBe('closing');
    expect(node.answer(peer, want, 1)).toBe(message);
    expect(node.answer(peer, want, 2)).toBeUndefined();
    expect(node.answer(other, want, 2)).toBe(message);
    expect(node.answer(peer, want, 200)).toBe(message);
    expect(node.answer(other, encodeWantClosing(toEpoch(1)), 400)).toBeUndefined();
    expect(node.answer(other, new Uint8Array(1), 400)).toBeUndefined();
  });

  it('asks a few at a time in turn, ever less often until an epoch begins', () => {
    const { node } = exchange();
    const asked = [0, 1].map(() => node.poll(toEpoch(0)));
    expect(asked.map(({ peers }) => peers)).toEqual([
      [1, 2, 3],
      [4, 5, 1],
    ]);
    const { kind, bytes } = openMessage(asked[0]?.message ?? new Uint8Array(0));
    expect([kind, decodeWantClosing(bytes)]).toEqual(['want-closing', 0]);
    expect(node.pollDelayMs).toBe(1_000);
    for (let i = 0; i < 9; i++) node.poll(toEpoch(0));
    expect(node.pollDelayMs).toBe(4_000);
    node.entered();
    expect(node.pollDelayMs).toBe(250);
  });
});
