/** Whole networks of this folder on the loopback, in one process, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PydeError } from '@pyde/core/bytes';
import { FalconSigner, falconVerifyBatch } from '@pyde/core/crypto';
import { type Logger, silentLogger } from '@pyde/core/platform';
import {
  type Genesis,
  toFalconPublicKey,
  toFalconSignature,
  toQuanta,
  type ValidatorIndex,
} from '@pyde/core/types';
import { type DevnetKey, devnetAccounts } from '../../devnet/devnet-keys.ts';
import { systemClock, systemRandom } from '../../runtime/system-clock.ts';
import type { NetworkOptions, NetworkUser, NodeNetwork } from '../interface.ts';
import { createNodeNetwork } from '../node-network.ts';

/** Ten keys that the repository holds: validators of tests. */
export const testKeys: readonly DevnetKey[] = devnetAccounts(10);

export function testGenesis(validators: number): Genesis {
  return {
    chainId: 31_337n,
    timestampMs: 1_767_225_600_000n,
    parameters: {
      startBaseFee: toQuanta(100n),
      gasTargetPerSecond: 200_000_000n,
      waveGasCeiling: 400_000_000n,
      burnPercent: 70,
      rewardPoolPercent: 20,
      minRoundDelayMs: 0,
      idleRoundMs: 500,
      gcRounds: 500,
      epochDurationMs: 600_000,
    },
    validators: testKeys.slice(0, validators).map(({ address, publicKey }) => ({
      address,
      operator: address,
      publicKey: toFalconPublicKey(publicKey),
      stake: toQuanta(1n),
    })),
    allocations: [],
    names: [],
  };
}

export function signerOf(key: DevnetKey): NonNullable<NetworkOptions['signer']> {
  const signer = new FalconSigner(key.secretKey, (length) => systemRandom.bytes(length));
  return {
    publicKey: toFalconPublicKey(key.publicKey),
    sign: (message) => toFalconSignature(signer.sign(message)),
  };
}

/** Everything that a network handed to its node. */
export class RecordingUser implements NetworkUser {
  readonly messages: { readonly from: ValidatorIndex; readonly bytes: Uint8Array }[] = [];
  readonly links: ValidatorIndex[] = [];
  readonly failures: PydeError[] = [];
  readonly serving = new Set<string>();
  gossip: NetworkUser['gossip'] = async () => 'accept';
  answer: NetworkUser['answer'] = async () => Uint8Array.of(1);
  onMessage: ((from: ValidatorIndex, bytes: Uint8Array) => void) | undefined;

  message(from: ValidatorIndex, bytes: Uint8Array): void {
    if (this.onMessage !== undefined) this.onMessage(from, bytes);
    else this.messages.push({ from, bytes });
  }

  connected(peer: ValidatorIndex): void {
    this.links.push(peer);
  }

  peerConnected(peerId: string): void {
    this.serving.add(peerId);
  }

  peerDisconnected(peerId: string): void {
    this.serving.delete(peerId);
  }

  failed(error: PydeError): void {
    this.failures.push(error);
  }
}

export interface TestNode {
  readonly network: NodeNetwork;
  readonly user: RecordingUser;
  readonly folder: string;
}

const opened: { network: NodeNetwork; folder: string }[] = [];

export async function openTestNode(
  genesis: Genesis,
  options: Partial<NetworkOptions> & { readonly validator?: number; readonly log?: Logger } = {},
): Promise<TestNode> {
  const { validator, log, ...rest } = options;
  const key = validator === undefined ? undefined : testKeys[validator];
  const folder = rest.folder ?? mkdtempSync(join(tmpdir(), 'pyde-network-'));
  const network = await createNodeNetwork({
    genesis,
    random: systemRandom,
    clock: systemClock,
    logger: log ?? silentLogger,
    verify: falconVerifyBatch,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    seeds: [],
    dnsSeeds: [],
    ...(key === undefined ? {} : { signer: signerOf(key) }),
    ...rest,
    folder,
  });
  opened.push({ network, folder });
  const user = new RecordingUser();
  await network.start(user);
  return { network, user, folder };
}

/** After each test: whatever is still open, and its folders. */
export async function closeTestNodes(): Promise<void> {
  const all = opened.splice(0);
  await Promise.all(all.map(({ network }) => network.stop()));
  for (const { folder } of all) rmSync(folder, { recursive: true, force: true });
}

/** An address of a started node, with its peer id. */
export function addressOf({ network }: TestNode): string {
  const address = network.listenAddrs()[0];
  if (address === undefined) throw new Error('the node listens nowhere');
  return address;
}

export const linksOf = ({ network }: TestNode): number[] =>
  network
    .peers()
    .flatMap(({ validator }) => (validator === undefined ? [] : [validator]))
    .sort((a, b) => a - b);

/** TCP ports of the loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
  return ports;
}
