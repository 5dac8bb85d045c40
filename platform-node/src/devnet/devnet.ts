/**
 * A devnet: a committee of one in this process, with the real consensus, execution, store and RPC.
 * Its keys are public (devnet-keys.ts). Without a folder it lives in a temporary one, which goes
 * when it stops.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PydeError } from '@pyde/core/bytes';
import type { Signer } from '@pyde/core/consensus';
import { blake3, FalconSigner } from '@pyde/core/crypto';
import type { KeyValueStore, Logger, Random } from '@pyde/core/platform';
import { decodeSnapshot, encodeSnapshot, loadSnapshot } from '@pyde/core/state';
import {
  type Address,
  type Genesis,
  QUANTA_PER_PYDE,
  toFalconPublicKey,
  toFalconSignature,
  toQuanta,
} from '@pyde/core/types';
import { NodeRuntime } from '../runtime/node-runtime.ts';
import { frozenWallClock, systemClock, systemRandom } from '../runtime/system-clock.ts';
import { RpcServer } from '../server/index.ts';
import { type DevnetKey, devnetAccounts, devnetValidator } from './devnet-keys.ts';

export interface DevnetOptions {
  readonly rpcHost: string;
  /** 0 takes any free port. */
  readonly rpcPort: number;
  readonly chainId: bigint;
  readonly prefundCount: number;
  readonly prefundAmount: bigint;
  /** Pace of rounds while nothing happens. */
  readonly tickMs: number;
  /** Default ten minutes. */
  readonly epochDurationMs?: number;
  /** Fixes keys, randomness and wave timestamps, so that a run can be repeated. */
  readonly seed?: bigint;
  /** Keeps the chain here; a chain that is already here goes on. */
  readonly stateDir?: string;
  /** A dump of `dumpState`, which becomes the state of wave 0. */
  readonly loadState?: Uint8Array;
  readonly logger: Logger;
}

export interface DevnetAccount {
  readonly name: string;
  readonly address: Address;
}

export interface DevnetHandle {
  readonly url: string;
  readonly genesis: Genesis;
  readonly accounts: readonly DevnetAccount[];
  /** False when a kept chain goes on. */
  readonly fresh: boolean;
  /** Everything at the newest wave, in the form of `loadState`. */
  dumpState(): Promise<Uint8Array>;
  stop(): Promise<void>;
  /** Resolves when stopped; rejects when the node cannot go on. */
  readonly closed: Promise<void>;
}

/** design/state-and-execution.md, "Accounts and transactions": devnet genesis. */
const START_BASE_FEE = 100n;
const GAS_TARGET_PER_SECOND = 200_000_000n;
const WAVE_GAS_CEILING = 400_000_000n;
/** Ten minutes: an evening of development sees some epochs end. */
const EPOCH_DURATION_MS = 600_000;
const VALIDATOR_STAKE = 10_000n * QUANTA_PER_PYDE;
/** With --seed, the moment at which the chain starts and its wall clock stands still. */
const SEEDED_START_MS = 1_767_225_600_000;
const MAX_DUMP_BYTES = 512 * 1024 * 1024;

/** @throws PydeError when the folder, the port or an option cannot be used; nothing is left open */
export async function startDevnet(options: DevnetOptions): Promise<DevnetHandle> {
  const validator = devnetValidator(options.seed);
  const clock = options.seed === undefined ? systemClock : frozenWallClock(SEEDED_START_MS);
  const random = options.seed === undefined ? systemRandom : seededRandom(options.seed);
  const accounts = devnetAccounts(options.prefundCount);
  const kept = options.stateDir !== undefined;
  const folder = options.stateDir ?? mkdtempSync(join(tmpdir(), 'pyde-devnet-'));
  const dropFolder = (): void => {
    if (!kept) rmSync(folder, { recursive: true, force: true });
  };
  let runtime: NodeRuntime | undefined;
  try {
    const loadState = options.loadState;
    let fresh = false;
    runtime = await NodeRuntime.open({
      folder: join(folder, 'db'),
      newGenesis: () => {
        fresh = true;
        const startMs = clock.now().unixMs;
        return devnetGenesis(options, validator, loadState === undefined ? accounts : [], startMs);
      },
      signer: signerOf(validator, random),
      clock,
      logger: options.logger,
      verificationThreads: 1,
      ...(loadState === undefined ? {} : { loadState: loader(loadState) }),
    });
    if (loadState !== undefined && !fresh) {
      throw new PydeError(
        'devnet.load-state',
        `${folder} already holds a chain; load the state into another folder`,
      );
    }
    if (runtime.chainId !== options.chainId) {
      throw new PydeError(
        'devnet.chain-id',
        `${folder} holds a chain with id ${runtime.chainId}; start it with --chain-id ` +
          `${runtime.chainId}, or choose another folder`,
      );
    }
    const node = runtime;
    const server = new RpcServer({
      backend: node,
      host: options.rpcHost,
      port: options.rpcPort,
      logger: options.logger,
    });
    const { host, port } = await server.start();
    await node.run();
    const stop = async (): Promise<void> => {
      await server.stop();
      await node.stop();
      dropFolder();
    };
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
      genesis: node.genesis,
      accounts: accounts.map(({ address }, i) => ({ name: `devnet-${i}`, address })),
      fresh,
      dumpState: () => Promise.resolve(dump(node)),
      stop,
      closed: node.closed,
    };
  } catch (error) {
    await runtime?.stop();
    dropFolder();
    throw error;
  }
}

function devnetGenesis(
  options: DevnetOptions,
  validator: DevnetKey,
  accounts: readonly DevnetKey[],
  startMs: number,
): Genesis {
  return {
    chainId: options.chainId,
    timestampMs: BigInt(startMs),
    parameters: {
      startBaseFee: toQuanta(START_BASE_FEE),
      gasTargetPerSecond: GAS_TARGET_PER_SECOND,
      waveGasCeiling: WAVE_GAS_CEILING,
      burnPercent: 70,
      rewardPoolPercent: 20,
      minRoundDelayMs: 0,
      idleRoundMs: options.tickMs,
      gcRounds: 500,
      epochDurationMs: options.epochDurationMs ?? EPOCH_DURATION_MS,
    },
    validators: [
      {
        address: validator.address,
        operator: validator.address,
        publicKey: toFalconPublicKey(validator.publicKey),
        stake: toQuanta(VALIDATOR_STAKE),
      },
    ],
    allocations: accounts.map((account) => ({
      address: account.address,
      balance: toQuanta(options.prefundAmount),
      authKeys: { kind: 'single', key: toFalconPublicKey(account.publicKey) },
    })),
    names: [],
  };
}

function signerOf(key: DevnetKey, random: Random): Signer {
  const signer = new FalconSigner(key.secretKey, (length) => random.bytes(length));
  return {
    publicKey: toFalconPublicKey(key.publicKey),
    sign: (message) => toFalconSignature(signer.sign(message)),
  };
}

/** A stream of Blake3(domain ‖ seed ‖ counter): the same run after run, and no secret. */
function seededRandom(seed: bigint): Random {
  let counter = 0n;
  return {
    bytes: (length) => {
      const out = new Uint8Array(length);
      for (let at = 0; at < length; at += 32) {
        const text = new TextEncoder().encode(`pyde-devnet-random/${seed}/${counter++}`);
        out.set(blake3(text).subarray(0, Math.min(32, length - at)), at);
      }
      return out;
    },
  };
}

function dump(node: NodeRuntime): Uint8Array {
  return encodeSnapshot(node.state, node.head().waveId, { maxBytes: MAX_DUMP_BYTES });
}

/** The dump is the user's own: its root is taken for what it says, and recomputed. */
function loader(bytes: Uint8Array): (store: KeyValueStore) => Promise<void> {
  const snapshot = decodeSnapshot(bytes);
  return (store) => loadSnapshot(store, { ...snapshot, version: 0n }, snapshot.root);
}
