/**
 * A validator's part of a genesis (docs/operators/install.md): its key, operator, stake and addresses,
 * signed with FALCON over all of it and the network's name. So whoever gathers contributions cannot
 * change one, and one made for another network is refused. A contribution is untrusted: size, shape,
 * then meaning, then the signature.
 */
import { encode, fromHex, isPydeError, PydeError, toHex, U128_MAX } from '@pyde/core/bytes';
import { blake3, eoaAddress, falconVerify, isFalconPublicKey } from '@pyde/core/crypto';
import {
  ADDRESS_BYTES,
  type Address,
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SIGNATURE_BYTES,
  type FalconPublicKey,
  type Quanta,
  toAddress,
  toFalconPublicKey,
  toQuanta,
} from '@pyde/core/types';
import * as v from 'valibot';
import { isAddress } from '../config/index.ts';

export type ContributionErrorCode = 'contribution.shape' | 'contribution.signature';

export interface Contribution {
  readonly network: string;
  readonly publicKey: FalconPublicKey;
  readonly operator: Address;
  readonly stake: Quanta;
  /** Multiaddrs at which others find the validator, or its sentries. */
  readonly addresses: readonly string[];
}

export const MAX_CONTRIBUTION_BYTES = 64 * 1024;
export const MAX_NETWORK_NAME = 64;
const MAX_ADDRESSES = 8;
const DOMAIN = 'pyde/genesis-contribution/1';
const KIND = 'pyde-genesis-contribution';

const hex = (bytes: number) =>
  v.pipe(
    v.string(),
    v.rawTransform<string, Uint8Array>(({ dataset, addIssue, NEVER }) => {
      try {
        return fromHex(dataset.value, { exactBytes: bytes });
      } catch (error) {
        if (!isPydeError(error)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
const ContributionJson = v.strictObject({
  version: v.literal(1),
  kind: v.literal(KIND),
  network: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NETWORK_NAME)),
  public_key: hex(FALCON_PUBLIC_KEY_BYTES),
  operator: hex(ADDRESS_BYTES),
  stake: v.pipe(
    v.string(),
    v.regex(/^[1-9]\d{0,38}$/),
    v.transform((digits) => BigInt(digits)),
    v.maxValue(U128_MAX),
  ),
  addresses: v.pipe(
    v.array(v.pipe(v.string(), v.check(isAddress, 'no multiaddr'))),
    v.minLength(1),
    v.maxLength(MAX_ADDRESSES),
  ),
  signature: hex(FALCON_SIGNATURE_BYTES),
});

/** The text of a contribution. @param sign as the validator's key does */
export function writeContribution(
  contribution: Contribution,
  sign: (digest: Uint8Array) => Uint8Array,
): string {
  const { network, publicKey, operator, stake, addresses } = contribution;
  const json = {
    version: 1,
    kind: KIND,
    network,
    public_key: toHex(publicKey),
    operator: toHex(operator),
    stake: stake.toString(),
    addresses,
    signature: toHex(sign(contributionDigest(contribution))),
  };
  const text = `${JSON.stringify(json, undefined, 2)}\n`;
  readContribution(text, 'the contribution', network);
  return text;
}

/**
 * @param from names it in errors
 * @throws PydeError `contribution.shape`, `contribution.signature`
 */
export function readContribution(text: string, from: string, network: string): Contribution {
  const shape = v.safeParse(ContributionJson, parsed(text, from));
  if (!shape.success) {
    const issue = shape.issues[0];
    throw wrong(from, `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
  }
  const { public_key, operator, stake, addresses, signature } = shape.output;
  if (shape.output.network !== network) {
    throw wrong(from, `it is for the network "${shape.output.network}", this one is "${network}"`);
  }
  if (!isFalconPublicKey(public_key)) throw wrong(from, 'public_key: no FALCON-512 public key');
  const contribution: Contribution = {
    network,
    publicKey: toFalconPublicKey(public_key),
    operator: toAddress(operator),
    stake: toQuanta(stake),
    addresses,
  };
  if (!falconVerify(public_key, contributionDigest(contribution), signature)) {
    throw new PydeError<ContributionErrorCode>(
      'contribution.signature',
      `${from}: the signature is not that of its key over its content; ask its validator for it again`,
    );
  }
  return contribution;
}

export const validatorAddress = (publicKey: Uint8Array): Address =>
  toAddress(eoaAddress(publicKey));

function contributionDigest(contribution: Contribution): Uint8Array {
  const { network, publicKey, operator, stake, addresses } = contribution;
  const body = encode((w) =>
    w
      .string(network)
      .fixed(publicKey)
      .fixed(operator)
      .u128(stake)
      .vec(addresses, (out, address) => out.string(address)),
  );
  return blake3(new TextEncoder().encode(DOMAIN), body);
}

function parsed(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(from, 'it is not JSON');
  }
}

const wrong = (from: string, what: string): PydeError<ContributionErrorCode> =>
  new PydeError('contribution.shape', `${from}: ${what}; make it with pyde genesis contribute`);
