/** Nodes without a key that follow four validators, over peers that answer truly, falsely or not. */
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../bytes/index.ts';
import { readTransactionOf, readWaveRecord } from '../execution/index.ts';
import { encodeCert } from '../finality/index.ts';
import { decodeWaves, drawnBy, encodeWaves, type Waves } from '../sync/index.ts';
import { decodeTx, encodeTx, txHash } from '../tx/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import {
  encodeBatch,
  FIRST_PEER_NUMBER,
  toEpoch,
  toFalconSignature,
  toHash,
  toNonce,
  toPeerNumber,
  toQuanta,
  toWaveId,
  waveDigest,
} from '../types/index.ts';
import { committeeHash } from '../validators/index.ts';
import { networkGenesis, TestNetwork, type TestNode } from './testing.ts';

/** No epoch ends here. */
const LONG_MS = 10_800_000;
const SHORT_EPOCH_MS = 3_000;
const FOLLOWER = 4;

const transfer = (account: number, nonce = 0n): Uint8Array =>
  wireBy(account, { to: addressOf(9), value: toQuanta(1n), nonce: toNonce(nonce) });
const hashOf = (bytes: Uint8Array) => txHash(decodeTx(bytes));

const start = (followers: number, epochMs = LONG_MS): Promise<TestNetwork> =>
  TestNetwork.start(networkGenesis(4, epochMs), followers);

const passTime = async (network: TestNetwork, ms: number): Promise<void> => {
  const endMs = network.now.monotonicMs + ms;
  await network.run(() => network.now.monotonicMs >= endMs);
};

const waveOf = (node: TestNode): bigint => node.head.waveId;

/** All that are up came to the same records, up to the lowest of their heads. */
function expectOneHistory(network: TestNetwork): void {
  const up = network.nodes.filter(({ isUp }) => isUp);
  const least = up.map(waveOf).reduce((a, b) => (a < b ? a : b));
  const digests = up.map(({ store }) => {
    const record = readWaveRecord(store, least);
    return record === undefined ? '' : toHex(waveDigest(record));
  });
  expect(new Set(digests).size).toBe(1);
  expect(digests[0]).not.toBe('');
}

/** What most peers say in place of waves. */
function lying(network: TestNetwork, honest: number, twist: (waves: Waves) => Waves): void {
  network.lie = (peer, _question, answer) =>
    peer === honest ? answer : encodeWaves(twist(decodeWaves(answer)));
}

describe('a node without a key', () => {
  it('follows four validators, wave by wave, to the same roots', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    const bytes = transfer(0);
    await network.node(0).step({ kind: 'submit', request: 1, bytes });
    await network.run(() => waveOf(follower) >= 20n);
    expectOneHistory(network);
    expect(readTransactionOf(follower.store, hashOf(bytes))).toBeDefined();
    expect(follower.effects).not.toContain('broadcast');
    expect(follower.effects).not.toContain('send');
    expect(follower.halted).toBeUndefined();
  });

  it('executes a wave with one question once its certificate is heard', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    await network.run(() => waveOf(follower) >= 5n);
    const before = network.questions.length;
    const first = waveOf(follower);
    await network.run(() => waveOf(follower) >= first + 20n);
    expect(network.questions.length - before).toBeLessThanOrEqual(22);
  });

  it('keeps certificates and serves them to others', async () => {
    const network = await start(2);
    // The second knows nobody but the first.
    network.areLinked = (a, b) => Math.max(a, b) !== 5 || Math.min(a, b) === FOLLOWER;
    const second = network.node(5);
    second.kill();
    await second.boot();
    await network.run(() => waveOf(second) >= 10n);
    expectOneHistory(network);
    const asked = network.questions.filter(({ from }) => from === 5).map(({ to }) => to);
    expect(new Set(asked.slice(-5))).toEqual(new Set([FOLLOWER]));
    expect(second.certs.length).toBeGreaterThan(3);
  });

  it('goes on when peers come and go, as long as there is one', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    let open = [0, 1, 2, 3];
    network.areLinked = (a, b) => Math.max(a, b) < 4 || open.includes(Math.min(a, b));
    const peer = (index: number) => toPeerNumber(FIRST_PEER_NUMBER + index);
    for (const left of [0, 1, 2, 3, 0]) {
      for (const index of open) {
        await follower.step({ kind: 'peer-disconnected', peer: peer(index) });
      }
      open = [left];
      await follower.step({ kind: 'peer-connected', peer: peer(left) });
      const wave = waveOf(follower);
      await network.run(() => waveOf(follower) >= wave + 3n);
    }
    expectOneHistory(network);
  });

  it('asks by itself when it hears nothing', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    network.loseGossip = ({ topic }) => topic === 'finality';
    await network.run(() => waveOf(follower) >= 20n, 120_000);
    expectOneHistory(network);
  });
});

describe('peers that lie, all but one', () => {
  const others = (honest: number): number[] => [0, 1, 2, 3].filter((peer) => peer !== honest);

  it('about what transactions a wave has hold nobody up, and are reported', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    const strange = transfer(3, 7n);
    lying(network, 2, (waves) => ({
      ...waves,
      parts: waves.parts.map((part) => ({
        ...part,
        transactions: part.transactions.map(() => strange),
      })),
    }));
    for (let nonce = 0n; nonce < 6n; nonce++) {
      const bytes = transfer(0, nonce);
      await network.node(0).step({ kind: 'submit', request: Number(nonce), bytes });
      await network.run(
        () => readTransactionOf(follower.store, hashOf(bytes)) !== undefined,
        120_000,
      );
    }
    expectOneHistory(network);
    expect(readTransactionOf(follower.store, hashOf(strange))).toBeUndefined();
    const liars = new Set(follower.reports.map(({ peer }) => peer));
    expect(liars.size).toBeGreaterThan(0);
    for (const liar of liars) expect(others(2)).toContain(liar);
    expect(follower.halted).toBeUndefined();
  });

  it('about records are not believed, near the head or far from it', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    lying(network, 1, (waves) => ({
      ...waves,
      parts: waves.parts.map((part) => ({
        ...part,
        record: { ...part.record, gasUsed: part.record.gasUsed + 1n },
      })),
    }));
    await network.run(() => waveOf(follower) >= 10n, 120_000);
    follower.kill();
    const wave = waveOf(network.node(0));
    await network.run(() => waveOf(network.node(0)) >= wave + 60n, 120_000);
    await follower.boot();
    await network.run(() => waveOf(follower) >= wave + 60n, 120_000);
    expectOneHistory(network);
    expect(follower.reports.some(({ offence }) => offence === 'wrong-answer')).toBe(true);
    expect(follower.reports.every(({ peer }) => peer !== 1)).toBe(true);
  });

  it('by silence are passed over', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    network.lie = (peer, _question, answer) => (peer === 3 ? answer : undefined);
    await network.run(() => waveOf(follower) >= 10n, 120_000);
    const fromMs = network.now.monotonicMs;
    const wave = waveOf(follower);
    await network.run(() => waveOf(follower) >= wave + 20n, 120_000);
    // Whoever was silent is asked last from then on.
    const aloneMs = network.now.monotonicMs - fromMs;
    expect(aloneMs).toBeLessThan(20 * 400);
    expectOneHistory(network);
  });

  it('by saying that there is nothing newer are asked no less than the others', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    lying(network, 0, (waves) => ({ ...waves, parts: [], cert: undefined }));
    network.loseGossip = () => true;
    await network.run(() => waveOf(follower) >= 10n, 120_000);
    expectOneHistory(network);
  });

  it('by false certificates of the right waves are not followed', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    network.lie = (peer, _question, answer) => {
      const waves = decodeWaves(answer);
      if (peer === 0 || waves.cert === undefined) return answer;
      const [first, ...rest] = waves.cert.signatures;
      if (first === undefined) return answer;
      const signatures = [toFalconSignature(first.map((b, i) => (i > 40 ? b ^ 1 : b))), ...rest];
      const record = { ...waves.cert.record, gasUsed: 1n };
      const last = waves.parts.at(-1);
      const parts = last === undefined ? [] : [...waves.parts.slice(0, -1), { ...last, record }];
      return encodeWaves({ ...waves, parts, cert: { ...waves.cert, record, signatures } });
    };
    network.loseGossip = () => true;
    await network.run(() => waveOf(follower) >= 10n, 120_000);
    expectOneHistory(network);
    expect(follower.reports.every(({ peer }) => peer !== 0)).toBe(true);
  });
});

describe('a node that was stopped', () => {
  it('for long goes on from its store to the head', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    await network.run(() => waveOf(follower) >= 5n);
    follower.kill();
    await network.run(() => waveOf(network.node(0)) >= 150n, 120_000);
    const bytes = transfer(1);
    await network.node(0).step({ kind: 'submit', request: 1, bytes });
    await passTime(network, 1_000);
    await follower.boot();
    await network.run(() => readTransactionOf(follower.store, hashOf(bytes)) !== undefined);
    await passTime(network, 500);
    expect(waveOf(network.node(0)) - waveOf(follower)).toBeLessThanOrEqual(2n);
    expectOneHistory(network);
  });

  it('over several epochs walks their ends, and goes on in the one that runs', async () => {
    const network = await start(1, SHORT_EPOCH_MS);
    const follower = network.node(FOLLOWER);
    await network.run(() => waveOf(follower) >= 5n);
    follower.kill();
    await network.run(() => network.node(0).epoch >= 4, 120_000);
    await follower.boot();
    const { epoch } = network.node(0);
    await network.run(() => follower.epoch >= epoch + 1, 120_000);
    expectOneHistory(network);
    expect(follower.halted).toBeUndefined();
  });

  it('anywhere between two effects is never worse for it', async () => {
    const network = await start(1, SHORT_EPOCH_MS);
    const follower = network.node(FOLLOWER);
    for (let effects = 3; effects < 60; effects += 7) {
      follower.effectsLeft = effects;
      await network.run(() => !follower.isUp, 120_000);
      await follower.boot();
    }
    const wave = waveOf(network.node(0));
    await network.run(() => waveOf(follower) >= wave + 5n, 120_000);
    expectOneHistory(network);
  });
});

describe('while it follows, a node', () => {
  it('goes from epoch to epoch with the others', async () => {
    const network = await start(1, SHORT_EPOCH_MS);
    const follower = network.node(FOLLOWER);
    await network.run(() => follower.epoch >= 3, 120_000);
    expectOneHistory(network);
    const { epoch } = follower;
    expect(follower.machine.anchorOf(epoch, 1)).toBe(network.node(0).machine.anchorOf(epoch, 1));
    expect(follower.machine.anchorOf(epoch - 1, 1)).toBeDefined();
    expect(follower.machine.anchorOf(epoch - 2, 1)).toBeUndefined();
  });

  it('believes no certificate that a quorum did not sign, and blames who passes it on', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    await network.run(() => follower.certs.length >= 3);
    const cert = follower.certs.at(-1);
    if (cert === undefined) throw new Error('it has certificates');
    const record = { ...cert.record, waveId: toWaveId(cert.record.waveId + 5n) };
    const before = network.verdicts.length;
    const head = waveOf(follower);
    const hear = async (bytes: Uint8Array): Promise<string | undefined> => {
      network.gossip(FOLLOWER, 'finality', bytes);
      await network.run(() => network.verdicts.length > before, 10);
      return network.verdicts.findLast(({ by }) => by === FOLLOWER)?.verdict;
    };
    expect(await hear(encodeCert({ ...cert, record }))).toBe('reject');
    expect(waveOf(follower)).toBe(head);
    expect(follower.followed.heardWave).toBeLessThan(record.waveId);
  });

  it('keeps the committee of its epoch, whatever members of the one before sign later', async () => {
    const network = await start(1, SHORT_EPOCH_MS);
    const follower = network.node(FOLLOWER);
    await network.run(() => follower.epoch >= 2, 120_000);
    const { epoch, followed } = follower;
    const closing = follower.certs.find(
      ({ record }) => record.epoch === epoch - 1 && record.nextCommitteeHash !== undefined,
    );
    if (closing === undefined) throw new Error('the end of the epoch before is certified');
    const members = followed.committeeOf(epoch)?.members;
    const waveId = toWaveId(waveOf(follower) + 1n);
    for (let beacon = 0; beacon < 8; beacon++) {
      for (const wave of [waveId, closing.record.waveId]) {
        const nextBeacon = toHash(new Uint8Array(32).fill(beacon));
        const drawn = drawnBy(
          nextBeacon,
          network.genesis.validators.map(({ publicKey }) => publicKey),
        );
        const nextCommitteeHash = committeeHash(toEpoch(epoch), drawn);
        const record = { ...closing.record, waveId: wave, nextBeacon, nextCommitteeHash };
        const cert = { ...closing, record };
        followed.peer({ kind: 'cert', cert, digest: waveDigest(record) }, network.now);
        expect(followed.committeeOf(epoch)?.members).toEqual(members);
      }
    }
  });

  it('has what is submitted to it executed, at whatever distance from the validators', async () => {
    const network = await start(2);
    // 5 knows 4 alone.
    network.areLinked = (a, b) => Math.max(a, b) !== 5 || Math.min(a, b) === FOLLOWER;
    const far = network.node(5);
    far.kill();
    await far.boot();
    await network.run(() => waveOf(far) >= 3n);
    const bytes = transfer(2);
    await far.step({ kind: 'submit', request: 7, bytes });
    await network.run(() => readTransactionOf(far.store, hashOf(bytes)) !== undefined);
    expect(far.replies.get(7)).toMatchObject({ ok: true });
    expect(far.machine.poolSize).toBe(0);
    expect(network.node(FOLLOWER).machine.poolSize).toBe(0);
  });

  it('passes on what is rightly signed, and nothing else, and keeps none of it', async () => {
    const network = await start(2);
    // 5 knows 4 alone.
    network.areLinked = (a, b) => Math.max(a, b) !== 5 || Math.min(a, b) === FOLLOWER;
    await network.run(() => waveOf(network.node(FOLLOWER)) >= 3n);
    const good = transfer(0);
    const tx = decodeTx(transfer(1));
    const signature = tx.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    const forged = encodeTx({ ...tx, signature });
    const verdictOn = async (message: Uint8Array): Promise<unknown> => {
      const before = network.verdicts.length;
      network.gossip(FOLLOWER, 'tx', message);
      await network.run(() => network.verdicts.slice(before).some(({ by }) => by === FOLLOWER));
      return network.verdicts.slice(before).find(({ by }) => by === FOLLOWER)?.verdict;
    };
    const message = (attempt: number, ...transactions: Uint8Array[]): Uint8Array =>
      concatBytes(Uint8Array.of(attempt), encodeBatch({ transactions }));
    expect(await verdictOn(message(0, forged))).toBe('ignore');
    expect(await verdictOn(message(0, new Uint8Array(200)))).toBe('reject');
    expect(await verdictOn(message(0, good))).toBe('accept');
    expect(network.node(FOLLOWER).machine.poolSize).toBe(0);
    expect(await verdictOn(message(1, good))).toBe('ignore');
    await network.run(() => readTransactionOf(network.node(5).store, hashOf(good)) !== undefined);
    expect(readTransactionOf(network.node(5).store, hashOf(forged))).toBeUndefined();
  });

  it('publishes again, less and less often, what nobody lets run', async () => {
    const network = await start(1);
    const follower = network.node(FOLLOWER);
    await network.run(() => waveOf(follower) >= 3n);
    network.loseGossip = ({ topic }) => topic === 'tx';
    const bytes = transfer(0);
    await follower.step({ kind: 'submit', request: 1, bytes });
    await passTime(network, 40_000);
    const published = network.published.filter(({ topic }) => topic === 'tx').length;
    expect(published).toBeGreaterThanOrEqual(5);
    expect(published).toBeLessThanOrEqual(7);
    expect(follower.machine.statusOf(hashOf(bytes))).toEqual({ state: 'pending' });
    network.loseGossip = () => false;
    await network.run(() => readTransactionOf(follower.store, hashOf(bytes)) !== undefined);
  });
});

describe('validators', () => {
  it('publish each certificate once, as a rule', async () => {
    const network = await start(1);
    await network.run(() => waveOf(network.node(0)) >= 30n);
    const finality = network.published.filter(({ topic }) => topic === 'finality').length;
    const certified = network.node(0).certs.length;
    // Two of four publish at once; the others heard it by then.
    expect(finality).toBeGreaterThanOrEqual(certified - 2);
    expect(finality).toBeLessThanOrEqual(2 * certified + 8);
  });

  it('publish in the place of those that are silent', async () => {
    const network = await start(1);
    network.loseGossip = ({ from, topic }) => topic === 'finality' && from < 3;
    const follower = network.node(FOLLOWER);
    await network.run(() => follower.certs.length >= 10, 120_000);
    expect(network.published.some(({ from }) => from === 3)).toBe(true);
  });
});
