/** Questions that anybody asks of a node, and what an asker can verify of the answers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { accountKey } from '../account/index.ts';
import { equalBytes, isPydeError, u64BigEndian } from '../bytes/index.ts';
import { readHeadWave, readWaveRecord } from '../execution/index.ts';
import type { TestChain } from '../execution/testing.ts';
import { verifyCertChain } from '../finality/index.ts';
import { StateStore, TABLE, Table, verifyStateProof } from '../state/index.ts';
import { addressOf } from '../tx/testing.ts';
import { toEpoch } from '../types/index.ts';
import { RequestServer } from './request-server.ts';
import {
  decodeCertAnswer,
  decodeHeadAnswer,
  decodeProofAnswer,
  encodeCertQuestion,
  encodeEpochQuestion,
  encodeProofQuestion,
  MAX_PROOF_KEYS,
  MAX_QUESTION_BYTES,
  type RequestName,
} from './requests.ts';
import { certifiedChain, committee, fourMembers, verify } from './testing.ts';
import { decodeWaves, encodeWantWaves } from './wave-messages.ts';

const { chainId } = fourMembers;
const nothing = new Uint8Array(0);
let chain: TestChain;
let server: RequestServer;

beforeAll(async () => {
  chain = await certifiedChain(12);
  const { store } = chain;
  const state = StateStore.open(store);
  server = await RequestServer.open({ store, state, genesis: fourMembers });
});

function refusal(name: RequestName, question: Uint8Array): string {
  try {
    server.answer(name, question, 0);
    return 'answered';
  } catch (error) {
    return isPydeError(error) ? error.code : `defect: ${error}`;
  }
}

describe('head', () => {
  it('names the newest wave, the oldest that is kept, and the newest certificate', () => {
    const head = decodeHeadAnswer(server.answer('head', nothing, 0));
    expect(head).toMatchObject({ head: 12n, oldestWave: 0n });
    expect(head.cert?.record.waveId).toBe(10n);
    expect(head.oldestState).toBeLessThanOrEqual(12n);
  });

  it('is made once for all who ask at a time, and anew after that', () => {
    const first = server.answer('head', nothing, 1_000);
    expect(server.answer('head', nothing, 1_049)).toBe(first);
    expect(server.answer('head', nothing, 1_050)).not.toBe(first);
  });

  it('is an empty question', () => {
    expect(refusal('head', new Uint8Array(1))).toBe('request.size');
  });
});

describe('cert', () => {
  it('is that of the wave itself, or of the next one with the records that lead to it', () => {
    for (const wave of [1n, 3n, 5n, 6n, 10n]) {
      const answer = decodeCertAnswer(server.answer('cert', encodeCertQuestion(wave), 0));
      const expected = wave <= 5n ? 5n : 10n;
      expect(answer.cert.record.waveId).toBe(expected);
      expect(answer.records.map(({ waveId }) => waveId)).toEqual(
        Array.from({ length: Number(expected - wave) }, (_, i) => wave + BigInt(i)),
      );
      const before = readWaveRecord(chain.store, wave - 1n);
      if (before === undefined) throw new Error('the wave before is there');
      const options = { chainId, verify };
      expect(() =>
        verifyCertChain(before, answer.records, answer.cert, committee, options),
      ).not.toThrow();
    }
  });

  it('of a wave that nothing certifies yet, or that nobody has made, is not there yet', () => {
    for (const wave of [11n, 12n, 13n, 2n ** 64n - 1n]) {
      expect(refusal('cert', encodeCertQuestion(wave))).toBe('request.not-yet');
    }
  });
});

describe('epoch', () => {
  it('that runs, or is to come, is not closed yet', () => {
    expect(refusal('epoch', encodeEpochQuestion(toEpoch(0)))).toBe('request.not-yet');
    expect(refusal('epoch', encodeEpochQuestion(toEpoch(2 ** 53 - 1)))).toBe('request.not-yet');
  });
});

describe('proof', () => {
  it('holds against the root of the wave, for what is there and for what is not', () => {
    const keys = [accountKey(addressOf(0)), accountKey(addressOf(9))];
    for (const wave of [4n, 12n]) {
      const bytes = server.answer('proof', encodeProofQuestion({ wave, keys }), 0);
      const answer = decodeProofAnswer(bytes);
      expect(answer.wave).toBe(wave);
      expect(answer.entries.map(({ value }) => value !== undefined)).toEqual([true, false]);
      const root = readWaveRecord(chain.store, wave)?.stateRoot;
      if (root === undefined) throw new Error('the wave is there');
      keys.forEach((key, i) => {
        const entry = answer.entries[i];
        if (entry === undefined) throw new Error('both are answered');
        verifyStateProof({ root, key, value: entry.value, proof: entry.proof });
      });
    }
  });

  it('of a wave that is not executed yet is refused', () => {
    const question = encodeProofQuestion({ wave: 13n, keys: [accountKey(addressOf(0))] });
    expect(refusal('proof', question)).toBe('request.not-yet');
  });

  it('is given for so many keys and no more', () => {
    const question = (count: number): Uint8Array => {
      const keys = Array.from({ length: count }, (_, i) => accountKey(addressOf(i % 9)));
      return encodeProofQuestion({ wave: 12n, keys });
    };
    const answer = decodeProofAnswer(server.answer('proof', question(MAX_PROOF_KEYS), 0));
    expect(answer.entries).toHaveLength(MAX_PROOF_KEYS);
    expect(refusal('proof', question(MAX_PROOF_KEYS + 1))).toBe('borsh.count');
  });
});

describe('waves', () => {
  it('are those of the store, up to the newest certificate or with their transactions', () => {
    const ask = (mode: 'records' | 'transactions', wave: bigint) =>
      decodeWaves(server.answer('waves', encodeWantWaves({ mode, wave, index: 0 }), 0));
    expect(ask('records', 1n).parts).toHaveLength(10);
    expect(ask('records', 1n).cert?.record.waveId).toBe(10n);
    const { parts } = ask('transactions', 3n);
    expect(parts).toHaveLength(10);
    expect(parts[0]?.transactions).toHaveLength(1);
    const head = readHeadWave(chain.store);
    const last = parts.at(-1)?.record.stateRoot.blake3 ?? nothing;
    expect(equalBytes(last, head?.record.stateRoot.blake3 ?? nothing)).toBe(true);
    expect(ask('transactions', 13n).parts).toEqual([]);
  });
});

describe('of what a node no longer keeps', () => {
  it('it says so, and names the oldest that it can serve', async () => {
    const { store } = await certifiedChain(8);
    const waves = new Table(store, TABLE.waves);
    await store.batch([0n, 1n, 2n].map((wave) => waves.delete(u64BigEndian(wave))));
    const state = StateStore.open(store);
    const late = await RequestServer.open({ store, state, genesis: fourMembers });
    const codeAndOldest = (name: RequestName, question: Uint8Array): unknown => {
      try {
        late.answer(name, question, 0);
        return undefined;
      } catch (error) {
        return isPydeError(error) ? [error.code, error.details.oldest] : error;
      }
    };
    const gone = ['request.not-kept', '3'];
    expect(codeAndOldest('cert', encodeCertQuestion(2n))).toEqual(gone);
    const want = encodeWantWaves({ mode: 'records', wave: 2n, index: 0 });
    expect(codeAndOldest('waves', want)).toEqual(gone);
    const kept = decodeHeadAnswer(late.answer('head', nothing, 0));
    expect(kept.oldestWave).toBe(3n);
  });
});

describe('what is no question', () => {
  it('is refused by its size before anything is read', () => {
    for (const name of ['head', 'cert', 'epoch', 'proof', 'waves'] as const) {
      expect(refusal(name, new Uint8Array(MAX_QUESTION_BYTES + 1))).toBe('request.size');
    }
  });

  it('is refused when it does not decode', () => {
    for (const name of ['cert', 'epoch', 'proof', 'waves'] as const) {
      expect(refusal(name, nothing)).toBe('borsh.truncated');
    }
  });

  it('is not served by this node', () => {
    for (const name of ['events', 'manifest', 'chunk', 'peers'] as const) {
      expect(refusal(name, nothing)).toBe('request.not-served');
    }
  });
});
