/**
 * Which rules an epoch runs by. A change of rules that is not the same to every node is a new
 * **protocol version**, and becomes active with an epoch, never within one: an epoch has its own DAG,
 * its committee and its starting digest, so nothing of it straddles two sets of rules.
 *
 * The schedule of a chain is compiled into the software by genesis hash (`CHAIN_UPGRADES`); a chain
 * of one's own, which no release knows, is given it by configuration, the same at every node. It is
 * not in genesis: genesis is fixed before anybody knows what will change, and a new field would
 * give every chain another identity. Nor is it decided on chain: a vote would need rules of its
 * own that software without the new version understands, and operators decide by what they run.
 *
 * What makes it safe, whoever upgraded and whoever did not:
 *
 * - Software executes, orders and signs nothing of an epoch whose version it does not know. It halts
 *   before that epoch, with the wave that closed the one before as its newest, and goes on there
 *   once it was replaced. So no store ever holds what the wrong rules made.
 * - From version 2 on the starting digest of an epoch names its version (`versionedStart`). Vertices
 *   refer to those before by name, down to round 0, which is made of that digest: nodes that follow
 *   different schedules, such as software that was never told, have different DAGs, and neither takes
 *   anything from the other. Fewer than a quorum on either side therefore stop the chain at the
 *   change, with nothing executed beyond it; they do not fork it. Whoever then changes sides has
 *   vertices in its store that lead nowhere, is told so, and starts from an empty folder.
 * - A quorum with it carries the chain on. Software that was never told follows its waves by their
 *   certificates, comes to another digest, writes nothing and halts.
 *
 * The committee is trusted with the change as with everything: a quorum decides.
 */
import { encode, PydeError, toHex } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Genesis, genesisHash, type Hash, toHash } from '../types/index.ts';

export type ProtocolErrorCode = 'protocol.schedule' | 'protocol.version';

/** The newest version whose rules this software has. */
export const PROTOCOL_VERSION = 1;

/** From `epoch` on, the chain runs by the rules of `version`. */
export interface Activation {
  readonly version: number;
  readonly epoch: number;
}

/** What an operator watches. */
export interface ProtocolStanding {
  /** The newest version that this software knows. */
  readonly supported: number;
  /** The version of the epoch that the node is in. */
  readonly active: number;
  /** The next change that is known, whether this software knows its rules or not. */
  readonly next: Activation | undefined;
  /** The first change that this software cannot follow: it has to be replaced before. */
  readonly unsupported: Activation | undefined;
}

export interface ProtocolOptions {
  /** Of a chain that the software does not know; see {@link protocolSchedule}. */
  readonly upgrades?: readonly Activation[];
  /** For tests: as if the software knew versions up to this one. */
  readonly supported?: number;
}

/** Version 1 is that of every chain's epoch 0. */
const FIRST_VERSION = 1;
const MAX_UPGRADES = 64;
const MAX_VERSION = 0xffff;
const DOMAIN = new TextEncoder().encode('pyde/epoch-start/1');

/** By genesis hash in hex. There is no change of rules yet on any chain. */
const CHAIN_UPGRADES: ReadonlyMap<string, readonly Activation[]> = new Map();

export class ProtocolSchedule {
  readonly supported: number;
  readonly #upgrades: readonly Activation[];

  /**
   * @param upgrades in order, versions and epochs both rising
   * @throws PydeError `protocol.schedule`
   */
  constructor(upgrades: readonly Activation[], supported = PROTOCOL_VERSION) {
    checkUpgrades(upgrades);
    this.#upgrades = upgrades;
    this.supported = supported;
  }

  /** The version of an epoch. */
  versionOf(epoch: number): number {
    let version = FIRST_VERSION;
    for (const upgrade of this.#upgrades) if (upgrade.epoch <= epoch) version = upgrade.version;
    return version;
  }

  /** Does this software know the rules of an epoch? */
  supports(epoch: number): boolean {
    return this.versionOf(epoch) <= this.supported;
  }

  /** As seen from an epoch. */
  standing(epoch: number): ProtocolStanding {
    return {
      supported: this.supported,
      active: this.versionOf(epoch),
      next: this.#upgrades.find((upgrade) => upgrade.epoch > epoch),
      unsupported: this.#upgrades.find((upgrade) => upgrade.version > this.supported),
    };
  }

  /** Why the node halts before an epoch that it does not support, and what to do. */
  haltReason(epoch: number): string {
    return (
      `epoch ${epoch} runs by protocol version ${this.versionOf(epoch)}, and this software knows ` +
      `versions up to ${this.supported}; install the release that brings it and start the node again`
    );
  }
}

/**
 * The schedule of a chain. Where the software knows the chain, configuration can only announce
 * versions that the software does not know, so that an operator who has heard of a change before
 * having the release halts at it; the epochs of all others are compiled in.
 * @throws PydeError `protocol.schedule`
 */
export function protocolSchedule(
  genesis: Genesis,
  { upgrades = [], supported = PROTOCOL_VERSION }: ProtocolOptions = {},
  known: ReadonlyMap<string, readonly Activation[]> = CHAIN_UPGRADES,
): ProtocolSchedule {
  const compiled = known.get(toHex(genesisHash(genesis)));
  if (compiled === undefined) return new ProtocolSchedule(upgrades, supported);
  const added = upgrades.filter(({ version }) => !compiled.some((c) => c.version === version));
  for (const { version, epoch } of upgrades) {
    const compiledEpoch = compiled.find((c) => c.version === version)?.epoch;
    if (compiledEpoch !== undefined ? compiledEpoch === epoch : version > supported) continue;
    throw schedule(
      `this software knows the chain, and version ${version} does not become active with epoch ` +
        `${epoch} there; remove it from the configuration`,
    );
  }
  return new ProtocolSchedule([...compiled, ...added], supported);
}

/**
 * The starting digest of an epoch that runs by `version`: names the vertices of its round 0.
 * @param start the digest of the record that closed the epoch before; the genesis hash for epoch 0
 */
export function versionedStart(start: Hash, version: number): Hash {
  if (version === FIRST_VERSION) return start;
  return toHash(
    blake3(
      DOMAIN,
      start,
      encode((w) => w.u16(version)),
    ),
  );
}

function checkUpgrades(upgrades: readonly Activation[]): void {
  if (upgrades.length > MAX_UPGRADES) {
    throw schedule(`${upgrades.length} changes of version are more than ${MAX_UPGRADES}`);
  }
  let before: Activation = { version: FIRST_VERSION, epoch: 0 };
  for (const upgrade of upgrades) {
    const { version, epoch } = upgrade;
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(version) || version > MAX_VERSION) {
      throw schedule(`version ${version} with epoch ${epoch} is none; give whole numbers`);
    }
    if (version <= before.version || epoch <= before.epoch) {
      throw schedule(
        `version ${version} with epoch ${epoch} does not come after version ${before.version} with ` +
          `epoch ${before.epoch}; list them in order, the first with an epoch after 0`,
      );
    }
    before = upgrade;
  }
}

const schedule = (message: string): PydeError<ProtocolErrorCode> =>
  new PydeError('protocol.schedule', `upgrades: ${message}`);
