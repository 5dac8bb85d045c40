/**
 * A node from what its store holds: the chain, its state, and the machine that goes on from there.
 * A server, a simulator and a test all start a node through this one door, so that whatever a
 * restart does is the same for all of them.
 *
 * The store is trusted as every store is: records carry checksums, and a damaged one is refused.
 */
import { equalBytes, invariant, PydeError, toHex } from '../bytes/index.ts';
import {
  ConsensusRecords,
  type ImportedMark,
  isJoining,
  OwnStore,
  type Signer,
  takeOver,
  VERTEX_DOOR,
  type VertexDoor,
} from '../consensus/index.ts';
import { currentBaseFee, executeGenesis, readGenesisOf, readHeadWave } from '../execution/index.ts';
import { AdmittedRecords, Mempool, type MempoolLimits } from '../mempool/index.ts';
import type { KeyValueStore, Random, VerifySignatures } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { WaveServer } from '../sync/index.ts';
import {
  type Genesis,
  genesisHash,
  type Quanta,
  toEpoch,
  toValidatorIndex,
  type ValidatorIndex,
} from '../types/index.ts';
import {
  type ProtocolOptions,
  type ProtocolSchedule,
  protocolSchedule,
} from '../validators/index.ts';
import { CatchUp } from './catch-up.ts';
import { Chain } from './chain.ts';
import type { Epochs } from './epochs.ts';
import { FollowedChain } from './followed-chain.ts';
import { NodeMachine } from './node-machine.ts';
import { openEpochs } from './open-epochs.ts';
import { checkStart } from './start-check.ts';

export type OpenNodeErrorCode = 'node.no-seat' | 'protocol.version';

export interface NodeOptions {
  /** Holds a chain. */
  readonly store: KeyValueStore;
  /** The member's key; without it the node only follows. */
  readonly signer: Signer | undefined;
  readonly verify: VerifySignatures;
  /** Default: one that remembers nothing. */
  readonly door?: VertexDoor;
  readonly mempool?: MempoolLimits;
  /** Ids and nonces for recovery. */
  readonly random: Random;
  /**
   * The store was put back from a copy, and may lack what its member made later. Only whoever put it
   * back knows; a member that is not told can make a vertex twice.
   */
  readonly isRestored?: boolean;
  /** The key came from another node: nothing is signed at or below what it signed there. */
  readonly importedMark?: ImportedMark;
  /** Which rules the epochs run by, where the software does not know it; see `protocolSchedule`. */
  readonly protocol?: ProtocolOptions;
}

interface Opened {
  readonly genesis: Genesis;
  readonly machine: NodeMachine;
  /** Follows the executor with `refresh`. */
  readonly state: StateStore;
  /** Wire bytes of what an earlier run acknowledged, for `readmit`. */
  readonly acknowledged: readonly Uint8Array[];
}

/** A validator's. */
export interface OpenNode extends Opened {
  /** Each epoch has a machine of its own: `epochs.consensus` is the current one. */
  readonly epochs: Epochs;
  readonly chain: Chain;
  readonly followed?: undefined;
}

/** That of a node without a key. */
export interface OpenFollower extends Opened {
  readonly followed: FollowedChain;
}

/** Puts wave 0 of `genesis` into an empty store. @throws PydeError `genesis.*` */
export async function writeGenesis(store: KeyValueStore, genesis: Genesis): Promise<void> {
  const { writes } = executeGenesis({ state: StateStore.open(store), store }, genesis);
  await store.batch(writes, { sync: true });
}

/**
 * The node of a store that holds a chain: a validator's with its key, else one that follows.
 * @throws PydeError `node.no-seat`, `node.mixed-store`, `protocol.*`, `state.*`, `consensus.store`
 */
export function openNode(options: NodeOptions & { readonly signer: Signer }): Promise<OpenNode>;
export function openNode(options: NodeOptions): Promise<OpenNode | OpenFollower>;
export async function openNode(options: NodeOptions): Promise<OpenNode | OpenFollower> {
  const { store, signer, verify } = options;
  const state = StateStore.open(store);
  await checkStart(store, state);
  const genesis = readGenesisOf(store);
  const head = readHeadWave(store);
  invariant(genesis !== undefined && head !== undefined, 'a node opens a store that holds a chain');
  const { chainId, parameters } = genesis;
  const limits = options.mempool;
  const mempool = new Mempool({ chainId, parameters, ...(limits === undefined ? {} : { limits }) });
  requireValidator(genesis, signer);
  const protocol = protocolSchedule(genesis, options.protocol);
  requireVersion(protocol, head.record.epoch);
  const admitted = new AdmittedRecords(store);
  const acknowledged = await admitted.all();
  const baseFee = baseFeeOf(state);
  const common = { mempool, admitted, state, head, protocol, baseFee };
  if (signer === undefined) {
    const followed = new FollowedChain({ genesis, store, state, verify }, head);
    const machine = new NodeMachine({ ...common, chain: followed });
    return { genesis, machine, state, acknowledged, followed };
  }
  const { random, isRestored = false, door = VERTEX_DOOR } = options;
  const takeBatch = (maxBytes: number): readonly Uint8Array[] =>
    mempool.takeBatch(maxBytes, parameters.waveGasCeiling);
  if (options.importedMark !== undefined) {
    await takeOver(store, random, options.importedMark);
  }
  const hasOwn = [head.record.epoch, toEpoch(head.record.epoch + 1)].some(
    (epoch) => new ConsensusRecords(store, epoch).own() !== undefined,
  );
  const ownStore = new OwnStore(store, random, { hasOwn, isRestored });
  const setup = { genesis, store, state, signer, verify, door, protocol, takeBatch, ownStore };
  const epochs = await openEpochs(setup, head);
  const peers = genesis.validators
    .map((_, i) => toValidatorIndex(i))
    .filter((i) => !isValidator(genesis, i, signer));
  const catchUp = new CatchUp({ genesis, store, state, verify, peers });
  const chain = new Chain(epochs, catchUp, new WaveServer(store), {
    head,
    isJoining: isJoining(store),
  });
  const machine = new NodeMachine({ ...common, chain });
  return { genesis, machine, epochs, chain, state, acknowledged };
}

/** The fee after the newest wave that `state` knows of, read once a wave: each admission asks twice. */
function baseFeeOf(state: StateStore): () => Quanta {
  let known: { readonly version: bigint | undefined; readonly fee: Quanta } | undefined;
  return () => {
    const { version } = state;
    if (known === undefined || known.version !== version) {
      known = { version, fee: currentBaseFee(state) };
    }
    return known.fee;
  };
}

function isValidator(genesis: Genesis, index: ValidatorIndex, { publicKey }: Signer): boolean {
  const validator = genesis.validators[index];
  return validator !== undefined && equalBytes(validator.publicKey, publicKey);
}

/** A key that no epoch can give a seat is the wrong key. @throws PydeError `node.no-seat` */
function requireValidator(genesis: Genesis, signer: Signer | undefined): void {
  if (signer === undefined) return;
  if (genesis.validators.some((v) => equalBytes(v.publicKey, signer.publicKey))) return;
  throw new PydeError<OpenNodeErrorCode>(
    'node.no-seat',
    'the validator key is not in the committee of this genesis; check which key file is used',
    { genesis: toHex(genesisHash(genesis)) },
  );
}

/** What newer software made is not to be read by this one. @throws PydeError `protocol.version` */
function requireVersion(protocol: ProtocolSchedule, epoch: number): void {
  if (protocol.supports(epoch)) return;
  throw new PydeError<OpenNodeErrorCode>(
    'protocol.version',
    `the newest wave here is of epoch ${epoch}: ${protocol.haltReason(epoch)}`,
    { epoch, version: protocol.versionOf(epoch), supported: protocol.supported },
  );
}
