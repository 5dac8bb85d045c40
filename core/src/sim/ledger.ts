/**
 * The one history that all nodes must tell (design/consensus.md, "Required tests", 2): for each wave
 * the first node that orders, executes or certifies it fixes what it is, and every other node is
 * held against that, after every step.
 */
import { equalBytes, isPydeError, PydeError, toHex } from '../bytes/index.ts';
import type { CommittedWave } from '../consensus/index.ts';
import type { ExecutedWave } from '../execution/index.ts';
import { type Committee, genesisCommittee, namedCommittee, verifyCert } from '../finality/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type { Genesis, HardFinalityCert, Hash, WaveCommitRecord } from '../types/index.ts';
import { readEpochState } from '../validators/index.ts';
import { hashBytes } from './byte-map.ts';
import { SIM_CHAIN_ID } from './sim-genesis.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

interface KnownWave {
  readonly wave: CommittedWave;
  executed: { readonly record: WaveCommitRecord; readonly digest: Hash } | undefined;
}

export interface LedgerOptions {
  readonly genesis: Genesis;
  readonly verify: VerifySignatures;
  /** A wave that nobody had ordered before. */
  onNewWave(wave: CommittedWave): void;
  /** A wave that nobody had executed before. */
  onNewExecution(wave: ExecutedWave): void;
}

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #waves: KnownWave[] = [];
  readonly #ranIn = new Map<string, bigint>();
  /** By node: the wave that it must order next, in this life. */
  readonly #next: (bigint | undefined)[] = [];
  /** By node: the wave that it must execute next. */
  readonly #nextExecuted: (bigint | undefined)[] = [];
  /** By epoch, each named by the record that closed the one before. */
  readonly #committees: Committee[];

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#committees = [genesisCommittee(options.genesis)];
  }

  /** Epochs that began so far. */
  get epochs(): number {
    return this.#committees.length;
  }

  /** Undefined for an epoch that has not begun. */
  committeeOf(epoch: number): Committee | undefined {
    return this.#committees[epoch];
  }

  /** The validator of a seat. */
  validatorOf(epoch: number, seat: number): number | undefined {
    const address = this.#committees[epoch]?.members[seat]?.address;
    if (address === undefined) return undefined;
    const { validators } = this.#options.genesis;
    const index = validators.findIndex((validator) => equalBytes(validator.address, address));
    return index < 0 ? undefined : index;
  }

  /** How many waves somebody ordered. */
  get height(): number {
    return this.#waves.length;
  }

  /** Digests of all waves that somebody executed, in order. */
  *digests(): Generator<Hash> {
    for (const { executed } of this.#waves) if (executed !== undefined) yield executed.digest;
  }

  /** A node starts, at the newest wave that it had executed. */
  started(node: SimNode, head: { readonly record: WaveCommitRecord; readonly digest: Hash }): void {
    this.#next[node.index] = head.record.waveId + 1n;
    this.#nextExecuted[node.index] = head.record.waveId + 1n;
    const known = this.#waves[Number(head.record.waveId) - 1]?.executed;
    if (head.record.waveId === 0n || known === undefined) return;
    this.#sameDigest(node, head.record.waveId, known.digest, head.digest);
  }

  ordered(node: SimNode, wave: CommittedWave): void {
    // A wave that others executed is a peer's word until its digest comes out.
    if (wave.expectedDigest !== undefined) return;
    const expected = this.#next[node.index];
    if (wave.waveId !== expected) {
      throw new Violation(
        'prefix',
        node.index,
        `orders wave ${wave.waveId} where ${expected} comes next`,
      );
    }
    this.#next[node.index] = wave.waveId + 1n;
    const known = this.#waves[Number(wave.waveId) - 1];
    if (known === undefined) {
      this.#waves.push({ wave, executed: undefined });
      this.#options.onNewWave(wave);
      return;
    }
    const difference = differenceOf(known.wave, wave);
    if (difference === undefined) return;
    throw new Violation(
      'agreement',
      node.index,
      `orders wave ${wave.waveId} with another ${difference} than a node before it`,
    );
  }

  executed(node: SimNode, executed: ExecutedWave): void {
    const { record, digest } = executed;
    const expected = this.#nextExecuted[node.index];
    if (record.waveId !== expected) {
      throw new Violation(
        'prefix',
        node.index,
        `executes wave ${record.waveId} where ${expected} comes next`,
      );
    }
    this.#nextExecuted[node.index] = record.waveId + 1n;
    this.#next[node.index] = later(this.#next[node.index], record.waveId + 1n);
    const known = this.#waves[Number(record.waveId) - 1];
    if (known === undefined) {
      throw new Violation(
        'prefix',
        node.index,
        `executes wave ${record.waveId} that nobody ordered`,
      );
    }
    if (known.executed !== undefined) {
      this.#sameDigest(node, record.waveId, known.executed.digest, digest);
      return;
    }
    known.executed = { record, digest };
    for (const { hash } of executed.executed) {
      const name = toHex(hash);
      const earlier = this.#ranIn.get(name);
      if (earlier !== undefined) {
        throw new Violation(
          'execution-twice',
          node.index,
          `runs transaction ${name} in wave ${record.waveId}, which ran in wave ${earlier}`,
        );
      }
      this.#ranIn.set(name, record.waveId);
    }
    if (record.nextCommitteeHash !== undefined) this.#handOver(node, record);
    this.#options.onNewExecution(executed);
  }

  #handOver(node: SimNode, record: WaveCommitRecord): void {
    const state = node.open === undefined ? undefined : readEpochState(node.open.state);
    const members = (state?.current.committee ?? []).flatMap((index) => {
      const validator = this.#options.genesis.validators[index];
      return validator === undefined ? [] : { index, publicKey: validator.publicKey };
    });
    try {
      this.#committees.push(namedCommittee(record, members));
    } catch (error) {
      if (!isPydeError(error)) throw error;
      throw new Violation('certificate', node.index, `wave ${record.waveId}: ${error.message}`);
    }
  }

  certified(node: SimNode, cert: HardFinalityCert): void {
    const { waveId, epoch } = cert.record;
    const { verify } = this.#options;
    const committee = this.#committees[epoch];
    let digest: Hash;
    try {
      if (committee === undefined)
        throw new PydeError('sim.epoch', `there is no epoch ${epoch} yet`);
      digest = verifyCert(cert, committee, { chainId: SIM_CHAIN_ID, verify });
    } catch (error) {
      if (!isPydeError(error)) throw error;
      throw new Violation('certificate', node.index, `wave ${waveId}: ${error.message}`);
    }
    const known = this.#waves[Number(waveId) - 1]?.executed;
    if (known !== undefined) this.#sameDigest(node, waveId, known.digest, digest);
  }

  #sameDigest(node: SimNode, waveId: bigint, known: Hash, digest: Hash): void {
    if (equalBytes(known, digest)) return;
    throw new Violation(
      'roots',
      node.index,
      `comes from wave ${waveId} to record ${toHex(digest)}, another node to ${toHex(known)}`,
    );
  }
}

const later = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a > b ? a : b);

/** In what two waves of one number differ, if they do. */
export function differenceOf(a: CommittedWave, b: CommittedWave): string | undefined {
  if (!equalBytes(a.anchorHash, b.anchorHash)) return 'anchor';
  if (a.anchorRound !== b.anchorRound || a.priorAnchorRound !== b.priorAnchorRound) return 'round';
  if (a.timestampMs !== b.timestampMs || a.priorTimestampMs !== b.priorTimestampMs) return 'time';
  if (a.epoch !== b.epoch || a.chainId !== b.chainId) return 'epoch';
  if (a.transactions.length !== b.transactions.length) return 'number of transactions';
  const differs = a.transactions.some((bytes, i) => {
    const other = b.transactions[i];
    return other === undefined || !equalBytes(bytes, other);
  });
  return differs ? 'transaction' : undefined;
}

/** For the trace: who signed. */
export const certHash = ({ signers, signatures }: HardFinalityCert): number =>
  signatures.reduce((hash, bytes) => hash ^ hashBytes(bytes, 48), hashBytes(signers));
