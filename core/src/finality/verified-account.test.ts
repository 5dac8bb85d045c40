/** A committee of four with real keys over five epochs, and every lie that can be told of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { decodeStateProof, encodeStateProof } from '../state/index.ts';
import { addressOf, publicKeyOf } from '../tx/testing.ts';
import { toAddress, toEpoch, toHash, toValidatorIndex, toWaveId } from '../types/index.ts';
import { committeeHash } from '../validators/index.ts';
import {
  type AccountClaim,
  advanceHead,
  genesisHead,
  type HandOver,
  oldestTrustedMs,
  type TrustedHead,
  verifyAccount,
  WEAK_SUBJECTIVITY_MS,
} from './index.ts';
import { certBy, EpochChain, epochGenesis, seated } from './testing.ts';

const EPOCHS = 4;
const anyAge = { oldestMs: 0n };
const trusted = genesisHead(epochGenesis);
const address = addressOf(1);

let chain: EpochChain;
let other: EpochChain;
let claim: AccountClaim;
beforeAll(async () => {
  chain = await EpochChain.start();
  await chain.epochs(EPOCHS);
  claim = chain.claim(address);
  // The same keys in the same seats, of another chain.
  other = await EpochChain.start({ ...epochGenesis, chainId: 7n });
  await other.epochs(EPOCHS);
});

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
    return { code: 'accepted', message: '' };
  } catch (error) {
    if (!isPydeError(error)) return { code: `defect: ${error}`, message: '' };
    return { code: error.code, message: error.message };
  }
}
const lie = (changes: Partial<AccountClaim>, head: TrustedHead = trusted) =>
  refusal(() => verifyAccount(head, { ...claim, ...changes }, anyAge));
const codeOf = (changes: Partial<AccountClaim>, head?: TrustedHead): string =>
  lie(changes, head).code;

const linkAt = (epoch: number): HandOver => {
  const link = chain.handOvers[epoch];
  if (link === undefined) throw new Error(`epoch ${epoch} was closed`);
  return link;
};
const withLink = (epoch: number, link: HandOver) => ({
  handOvers: chain.handOvers.with(epoch, link),
});
const seatsOf = (epoch: number): readonly number[] => chain.seats[epoch] ?? [];

describe('an account', () => {
  it('is verified from genesis over four changes of the committee', () => {
    const { account, exists, record, signers, head } = verifyAccount(trusted, claim, anyAge);
    expect(account.balance).toBe(10n ** 16n + 7n);
    expect({ exists, signers, wave: record.waveId }).toEqual({
      exists: true,
      signers: [0, 1, 3],
      wave: chain.head.waveId,
    });
    expect(new Set(chain.seats.map(String)).size).toBeGreaterThan(2);
    expect(head).toEqual({
      chainId: epochGenesis.chainId,
      committee: {
        epoch: EPOCHS,
        members: seatsOf(EPOCHS).map((i) => ({
          address: addressOf(i),
          publicKey: publicKeyOf(i),
        })),
      },
      closingWave: linkAt(EPOCHS - 1).closing.record.waveId,
      closingTimeMs: linkAt(EPOCHS - 1).closing.record.timestampMs,
      asOfMs: linkAt(EPOCHS - 1).closing.record.timestampMs,
    });
  });

  it('is verified from every head in between by the hand-overs that are left', () => {
    for (let epoch = 0; epoch <= EPOCHS; epoch++) {
      const head = advanceHead(trusted, chain.handOvers.slice(0, epoch), anyAge);
      const rest = { ...claim, handOvers: chain.handOvers.slice(epoch) };
      expect(verifyAccount(head, rest, anyAge).head).toEqual(
        verifyAccount(trusted, claim, anyAge).head,
      );
    }
  });

  it('that was never used is verified to hold nothing', () => {
    const stranger = chain.claim(addressOf(9));
    expect(verifyAccount(trusted, stranger, anyAge)).toMatchObject({
      exists: false,
      account: { balance: 0n },
    });
  });

  it('of another value, or of none, is refused', () => {
    const value = Uint8Array.from(claim.value ?? []);
    value[12] = (value[12] ?? 0) ^ 1;
    expect(codeOf({ value })).toBe('state.proof-root');
    expect(codeOf({ value: undefined })).toBe('state.proof-kind');
    expect(codeOf({ address: addressOf(2) })).toMatch(/^state\.proof-/);
  });

  it('with a proof against the root of another wave or another chain is refused', () => {
    const before = chain.records.at(-2);
    if (before === undefined) throw new Error('there are waves before the newest');
    const record = { ...chain.head, stateRoot: before.stateRoot };
    expect(codeOf({ cert: certBy(record, seatsOf(EPOCHS)) })).toBe('state.proof-root');
    const theirs = other.claim(address);
    expect(codeOf({ value: theirs.value, proof: theirs.proof })).toBe('state.proof-root');
    const bytes = encodeStateProof(claim.proof);
    const at = bytes.length - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(codeOf({ proof: decodeStateProof(bytes) })).toMatch(/^state\.proof-/);
  });
});

describe('the certificate', () => {
  it('one signature short is refused', () => {
    const { signers, signatures } = claim.cert;
    const short = { ...claim.cert, signers: Uint8Array.of(0b11), signatures: signatures.slice(1) };
    expect(codeOf({ cert: short })).toBe('cert.quorum');
    expect(signers).toEqual(Uint8Array.of(0b1011));
  });

  it('of a forged committee is refused, whether its keys are strange or only in other seats', () => {
    expect(codeOf({ cert: certBy(chain.head, [5, 6, 7, 8]) })).toBe('cert.signature');
    const turned = [...seatsOf(EPOCHS).slice(1), ...seatsOf(EPOCHS).slice(0, 1)];
    expect(codeOf({ cert: certBy(chain.head, turned) })).toBe('cert.signature');
  });

  it('of another chain is refused', () => {
    const cert = certBy({ ...chain.head, chainId: 7n }, seatsOf(EPOCHS));
    expect(codeOf({ cert })).toBe('cert.chain-id');
    expect(refusal(() => verifyAccount(trusted, other.claim(address), anyAge)).code).toBe(
      'cert.chain-id',
    );
  });

  it('of an epoch that the hand-overs do not lead to is refused', () => {
    expect(codeOf({ handOvers: chain.handOvers.slice(0, -1) })).toBe('head.missing-hand-over');
    const old = certBy(linkAt(1).closing.record, seatsOf(1));
    expect(codeOf({ cert: old })).toBe('head.behind');
    const same = { ...chain.head, waveId: toWaveId(linkAt(EPOCHS - 1).closing.record.waveId) };
    expect(codeOf({ cert: certBy(same, seatsOf(EPOCHS)) })).toBe('head.behind');
  });

  it('whose record is no later than the hand-over before it is refused', () => {
    const { timestampMs } = linkAt(EPOCHS - 1).closing.record;
    const cert = certBy({ ...chain.head, timestampMs }, seatsOf(EPOCHS));
    expect(codeOf({ cert })).toBe('head.order');
  });
});

describe('a hand-over', () => {
  it('that is missing, twice or out of order is refused, and its epoch is named', () => {
    const { handOvers } = claim;
    expect(lie({ handOvers: handOvers.toSpliced(1, 1) })).toMatchObject({
      code: 'head.missing-hand-over',
      message: expect.stringMatching(/^the hand-over from epoch 1 does not hold: /),
    });
    expect(codeOf({ handOvers: handOvers.toSpliced(1, 0, linkAt(0)) })).toBe('head.behind');
    expect(codeOf({ handOvers: handOvers.toReversed() })).toBe('head.missing-hand-over');
  });

  it('of another chain with the same keys is refused', () => {
    const link = other.handOvers[2];
    if (link === undefined) throw new Error('the other chain closed it too');
    expect(lie(withLink(2, link))).toMatchObject({
      code: 'cert.chain-id',
      message: expect.stringMatching(/from epoch 2/),
    });
  });

  it('one signature short is refused', () => {
    const { closing, members } = linkAt(3);
    const short = { ...closing, signers: Uint8Array.of(0b11) };
    const link = { closing: { ...short, signatures: closing.signatures.slice(0, 2) }, members };
    expect(lie(withLink(3, link))).toMatchObject({
      code: 'cert.quorum',
      message: expect.stringMatching(/from epoch 3/),
    });
  });

  it('to a forged committee is refused, also when the forged committee signs all that follows', () => {
    const forgers = [5, 6, 7, 8];
    const { closing } = linkAt(2);
    expect(codeOf(withLink(2, { closing, members: seated(forgers) }))).toBe('cert.next-committee');
    const nextCommitteeHash = committeeHash(toEpoch(3), seated(forgers));
    const record = { ...closing.record, nextCommitteeHash };
    const unsigned = { closing: { ...closing, record }, members: seated(forgers) };
    expect(codeOf(withLink(2, unsigned))).toBe('cert.signature');
    const own = { closing: certBy(record, forgers), members: seated(forgers) };
    const after = { ...linkAt(3), closing: certBy(linkAt(3).closing.record, forgers) };
    const forged = [...chain.handOvers.slice(0, 2), own, after];
    expect(codeOf({ handOvers: forged })).toBe('cert.signature');
  });

  it('with its members in other seats, or numbered otherwise, is refused', () => {
    const { closing, members } = linkAt(0);
    expect(codeOf(withLink(0, { closing, members: members.toReversed() }))).toBe(
      'cert.next-committee',
    );
    const renamed = members.map((one) => ({ ...one, index: toValidatorIndex(9) }));
    expect(codeOf(withLink(0, { closing, members: renamed }))).toBe('cert.next-committee');
  });

  it('by a wave that closes nothing is refused', () => {
    const { closing, members } = linkAt(1);
    const record = { ...closing.record, nextBeacon: undefined, nextCommitteeHash: undefined };
    const link = { closing: certBy(record, seatsOf(1)), members };
    expect(codeOf(withLink(1, link))).toBe('cert.not-closing');
  });

  it('with one field of its record changed is refused', () => {
    const { closing, members } = linkAt(1);
    const record = { ...closing.record, nextBeacon: toHash(new Uint8Array(32).fill(1)) };
    expect(codeOf(withLink(1, { closing: { ...closing, record }, members }))).toBe(
      'cert.signature',
    );
  });

  it('at a wave or a time before the one that it follows is refused', () => {
    const { closing, members } = linkAt(2);
    const before = linkAt(1).closing.record;
    const early = { ...closing.record, waveId: before.waveId };
    const late = { ...closing.record, timestampMs: before.timestampMs };
    const link = (record: typeof early) =>
      withLink(2, { closing: certBy(record, seatsOf(2)), members });
    expect(codeOf(link(early))).toBe('head.behind');
    expect(codeOf(link(late))).toBe('head.order');
  });
});

describe('a trusted head', () => {
  const nowMs = epochGenesis.timestampMs + WEAK_SUBJECTIVITY_MS;
  const atAge = (ms: bigint) =>
    refusal(() => verifyAccount(trusted, claim, { oldestMs: oldestTrustedMs(ms) }));

  it('is believed for three weeks and refused after, unless any age is accepted', () => {
    expect(WEAK_SUBJECTIVITY_MS).toBe(1_814_400_000n);
    expect(atAge(nowMs).code).toBe('accepted');
    expect(atAge(nowMs + 1n).code).toBe('head.too-old');
    expect(codeOf({})).toBe('accepted');
    expect(oldestTrustedMs(0n)).toBe(0n);
  });

  it('that is too old is refused before anything is followed from it', () => {
    const options = { oldestMs: epochGenesis.timestampMs + 1n };
    expect(refusal(() => advanceHead(trusted, [], options)).code).toBe('head.too-old');
    const never = () => {
      throw new Error('nothing is to be verified');
    };
    const run = () => verifyAccount(trusted, claim, { ...options, verify: never });
    expect(refusal(run).code).toBe('head.too-old');
  });

  it('is as of the newest hand-over, and no earlier than it was before', () => {
    const later = advanceHead(trusted, chain.handOvers.slice(0, 2), anyAge);
    expect(later.asOfMs).toBe(linkAt(1).closing.record.timestampMs);
    const vouched = { ...trusted, asOfMs: nowMs };
    expect(advanceHead(vouched, chain.handOvers, anyAge).asOfMs).toBe(nowMs);
  });

  it('of other keys refuses what the chain signed', () => {
    const members = [5, 6, 7, 8].map((i) => ({
      address: toAddress(addressOf(i)),
      publicKey: publicKeyOf(i),
    }));
    const head = { ...trusted, committee: { epoch: toEpoch(0), members } };
    expect(codeOf({}, head)).toBe('cert.signature');
    const one = { ...head.committee, members: members.slice(0, 1) };
    expect(codeOf({}, { ...head, committee: one })).toMatch(/^cert\./);
  });
});

describe('docs/protocol/verification.md', () => {
  it('has every code of a head, and no other', () => {
    const root = join(import.meta.dirname, '..', '..', '..');
    const codesIn = (...path: readonly string[]): string[] => {
      const text = readFileSync(join(root, ...path), 'utf8');
      const codes = [...text.matchAll(/['`](head\.[a-z-]+)['`]/g)].map(([, code]) => code ?? '');
      return [...new Set(codes)].sort();
    };
    const codes = codesIn('core', 'src', 'finality', 'trusted-head.ts');
    expect(codes).toHaveLength(4);
    expect(codesIn('docs', 'protocol', 'verification.md')).toEqual(codes);
  });
});
