/** What a node is in the network: a validator, one behind sentries, a sentry, or neither. */
import { equalBytes, PydeError } from '@pyde/core/bytes';
import { ipOfMultiaddr, isLoopback, peerIdOfMultiaddr } from '@pyde/core/net';
import { toValidatorIndex, type ValidatorIndex } from '@pyde/core/types';
import type { NetworkOptions } from './interface.ts';

export interface NetworkRole {
  readonly validator: ValidatorIndex | undefined;
  /** Peer ids of the sentries behind which this validator stands; it knows nobody else. */
  readonly sentries: ReadonlySet<string> | undefined;
  /** Peer ids of the validators that stand behind this node. */
  readonly hidden: ReadonlySet<string>;
  /** Everything about it is on this machine: a localnet. */
  readonly isLocal: boolean;
  /** Whom it dials without being told by others. */
  readonly dials: readonly string[];
}

/** @throws PydeError `network.not-a-validator`, `network.sentry` */
export function roleOf(options: NetworkOptions): NetworkRole {
  const { signer, listen, seeds, sentries, sentryFor = [] } = options;
  if (sentryFor.length > 0 && signer !== undefined) {
    throw sentryError('a sentry stands in front of validators and is none itself; run them apart');
  }
  if (sentries !== undefined && signer === undefined) {
    throw sentryError(
      'only a validator stands behind sentries; remove them from the configuration',
    );
  }
  const dials = sentries ?? seeds;
  const all = [...listen, ...dials];
  return {
    validator: signer === undefined ? undefined : indexOf(options, signer.publicKey),
    sentries: sentries === undefined ? undefined : new Set(sentries.map(sentryId)),
    hidden: new Set(sentryFor.map(({ peerId }) => peerId)),
    isLocal: all.length > 0 && all.every(isLocalAddress),
    dials,
  };
}

function sentryId(address: string): string {
  const peerId = peerIdOfMultiaddr(address);
  if (peerId !== undefined) return peerId;
  throw sentryError(`the sentry ${address} has no peer id; write it as …/p2p/12D3Koo…`);
}

function indexOf({ genesis }: NetworkOptions, publicKey: Uint8Array): ValidatorIndex {
  const index = genesis.validators.findIndex((v) => equalBytes(v.publicKey, publicKey));
  if (index >= 0) return toValidatorIndex(index);
  throw new PydeError(
    'network.not-a-validator',
    'the validator key is not among those of the genesis; name the right key or genesis file',
  );
}

function isLocalAddress(address: string): boolean {
  const ip = ipOfMultiaddr(address);
  return ip !== undefined && isLoopback(ip);
}

const sentryError = (message: string): PydeError => new PydeError('network.sentry', message);
