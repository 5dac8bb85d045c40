/**
 * Clients: accounts that send signed transfers to nodes at random, at a given rate, and remember
 * what became of each. A client whose node refuses, or dies before it answers, sends the very same
 * bytes to another; what was acknowledged it leaves alone, for the node has promised.
 */
import { toHex } from '../bytes/index.ts';
import { eoaAddress } from '../crypto/index.ts';
import type { ExecutedSummary } from '../execution/index.ts';
import type { Signer } from '../finality/index.ts';
import type { Reply } from '../node/index.ts';
import { encodeTx, transferTx, txHash } from '../tx/index.ts';
import { type Address, type TxHash, toAddress, toNonce, toQuanta } from '../types/index.ts';
import type { Prng } from './prng.ts';
import { SIM_CHAIN_ID } from './sim-genesis.ts';

export interface ClientTransaction {
  readonly name: string;
  readonly hash: TxHash;
  readonly from: Address;
  readonly bytes: Uint8Array;
  readonly account: number;
  readonly nonce: number;
  readonly submittedUs: number;
  /** Where it was sent last. */
  node: number;
  request: number;
  /** When to send it elsewhere unless an answer comes. */
  retryUs: number;
  state: 'sent' | 'acknowledged' | 'executed' | 'dropped';
  /** Of the wave that executed it. */
  waveId: bigint | undefined;
}

interface ClientAccount {
  readonly signer: Signer;
  readonly address: Address;
  nextNonce: number;
  /** Nonces of transactions that left the pool without having run. */
  readonly freeNonces: number[];
  pending: number;
}

/** Where clients can send to. */
export interface ClientNode {
  readonly isUp: boolean;
  submit(request: number, bytes: Uint8Array): void;
}

/** Below the window of nonces, so that nothing is refused for its nonce. */
const MAX_PENDING_PER_ACCOUNT = 8;
const ANSWER_TIMEOUT_US = 2_000_000;
const RETRY_AFTER_REFUSAL_US = 500_000;

export class Clients {
  readonly #accounts: readonly ClientAccount[];
  readonly #nodes: readonly ClientNode[];
  readonly #prng: Prng;
  readonly #byName = new Map<string, ClientTransaction>();
  readonly #byRequest = new Map<number, ClientTransaction>();
  /** Neither executed nor dropped. */
  readonly #unsettled = new Set<ClientTransaction>();
  /** Sent and not acknowledged. */
  readonly #open = new Set<ClientTransaction>();
  #nextRequest = 0;
  /** Times that no account had room. */
  held = 0;
  executed = 0;
  dropped = 0;
  /** Refusals by their code. */
  readonly refusals = new Map<string, number>();

  constructor(signers: readonly Signer[], nodes: readonly ClientNode[], prng: Prng) {
    this.#accounts = signers.map((signer) => ({
      signer,
      address: toAddress(eoaAddress(signer.publicKey)),
      nextNonce: 0,
      freeNonces: [],
      pending: 0,
    }));
    this.#nodes = nodes;
    this.#prng = prng;
  }

  get all(): Iterable<ClientTransaction> {
    return this.#byName.values();
  }

  /** Oldest first. */
  unsettledTransactions(): ClientTransaction[] {
    return [...this.#unsettled];
  }

  get submitted(): number {
    return this.#byName.size;
  }

  /** Not executed, not dropped. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  find(hash: Uint8Array): ClientTransaction | undefined {
    return this.#byName.get(toHex(hash));
  }

  /** One more transfer, by some account that has room. */
  submit(nowUs: number): void {
    const first = this.#prng.below(this.#accounts.length);
    for (let i = 0; i < this.#accounts.length; i++) {
      const index = (first + i) % this.#accounts.length;
      const account = this.#accounts[index];
      if (account === undefined || account.pending >= MAX_PENDING_PER_ACCOUNT) continue;
      this.#send(this.#make(account, index, nowUs), nowUs);
      return;
    }
    this.held++;
  }

  /** Sends elsewhere what nobody answered for. */
  retry(nowUs: number): void {
    for (const tx of this.#open) if (tx.retryUs <= nowUs) this.#send(tx, nowUs);
  }

  replied(node: number, request: number, reply: Reply, nowUs: number): void {
    const tx = this.#byRequest.get(request);
    this.#byRequest.delete(request);
    if (tx === undefined || tx.request !== request || tx.state !== 'sent') return;
    if (reply.ok) {
      tx.state = 'acknowledged';
      tx.node = node;
      this.#open.delete(tx);
      return;
    }
    const { code } = reply.error;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    tx.retryUs = nowUs + RETRY_AFTER_REFUSAL_US;
  }

  ran({ hash }: ExecutedSummary, waveId: bigint): void {
    const tx = this.find(hash);
    if (tx === undefined || tx.state === 'executed') return;
    if (tx.state === 'dropped') this.dropped--;
    this.#open.delete(tx);
    tx.state = 'executed';
    tx.waveId = waveId;
    this.executed++;
    this.#release(tx);
  }

  /** The node that acknowledged it dropped it, with a reason. */
  wasDropped(tx: ClientTransaction): void {
    if (tx.state !== 'acknowledged') return;
    tx.state = 'dropped';
    this.dropped++;
    this.#release(tx);
    this.#accounts[tx.account]?.freeNonces.push(tx.nonce);
  }

  /** A node may have lost what it acknowledged: clients send it again, somewhere. */
  nodeLost(node: number, nowUs: number): void {
    for (const tx of this.#unsettled) {
      if (tx.node !== node || tx.state !== 'acknowledged') continue;
      tx.state = 'sent';
      tx.retryUs = nowUs;
      this.#open.add(tx);
    }
  }

  #release(tx: ClientTransaction): void {
    if (!this.#unsettled.delete(tx)) return;
    const account = this.#accounts[tx.account];
    if (account !== undefined) account.pending--;
  }

  #make(account: ClientAccount, index: number, nowUs: number): ClientTransaction {
    const nonce = account.freeNonces.shift() ?? account.nextNonce++;
    const receiver = this.#prng.pick(this.#accounts) ?? account;
    const unsigned = transferTx({
      chainId: SIM_CHAIN_ID,
      from: account.address,
      to: receiver.address,
      value: toQuanta(BigInt(1 + this.#prng.below(1_000))),
      nonce: toNonce(BigInt(nonce)),
    });
    const hash = txHash(unsigned);
    const tx: ClientTransaction = {
      name: toHex(hash),
      hash,
      from: account.address,
      bytes: encodeTx({ ...unsigned, signature: account.signer.sign(hash) }),
      account: index,
      nonce,
      submittedUs: nowUs,
      node: 0,
      request: -1,
      retryUs: 0,
      state: 'sent',
      waveId: undefined,
    };
    account.pending++;
    this.#byName.set(tx.name, tx);
    this.#unsettled.add(tx);
    this.#open.add(tx);
    return tx;
  }

  #send(tx: ClientTransaction, nowUs: number): void {
    tx.retryUs = nowUs + ANSWER_TIMEOUT_US;
    const index = this.#prng.below(this.#nodes.length);
    const node = this.#nodes[index];
    if (node === undefined || !node.isUp) {
      tx.retryUs = nowUs + RETRY_AFTER_REFUSAL_US;
      return;
    }
    tx.node = index;
    tx.request = this.#nextRequest++;
    this.#byRequest.set(tx.request, tx);
    node.submit(tx.request, tx.bytes);
  }
}
