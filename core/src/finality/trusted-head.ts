/**
 * What a client believes of a chain, and how it comes to believe more (design/light-client.md, "Light
 * client"): it knows the committee of one epoch, from genesis or from its own memory, and goes on to
 * later ones a certified hand-over at a time. Whoever sends hand-overs is trusted with nothing.
 *
 * Members of a committee long gone have nothing to lose by signing another past, so that a head older
 * than the weak-subjectivity period is not believed, however well all that follows it fits.
 */
import { isPydeError, PydeError } from '../bytes/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type { Genesis, HardFinalityCert, WaveCommitRecord } from '../types/index.ts';
import { type Committee, genesisCommittee } from './committee.ts';
import { type HandOver, verifyHandOver } from './hand-over.ts';

/**
 * - too-old: the head was last known to be right longer ago than the client accepts;
 * - behind: a certificate is of an epoch or a wave that lies before the head;
 * - missing-hand-over: a certificate is of an epoch to which no hand-over leads;
 * - order: a record is not later than what it follows, by its wave or by its time.
 */
export type HeadErrorCode =
  | 'head.too-old'
  | 'head.behind'
  | 'head.missing-hand-over'
  | 'head.order';

export interface TrustedHead {
  readonly chainId: bigint;
  /** Signs the certificates of its epoch. */
  readonly committee: Committee;
  /** The wave that closed the epoch before; 0 in epoch 0. */
  readonly closingWave: bigint;
  /** Timestamp of that wave, Unix milliseconds: what follows is later. */
  readonly closingTimeMs: bigint;
  /** When the committee was last known to be the right one, Unix milliseconds. */
  readonly asOfMs: bigint;
}

export interface HeadOptions {
  /** A head as of before this is refused; see {@link oldestTrustedMs}. 0 believes one of any age. */
  readonly oldestMs: bigint;
  /** Default: FALCON-512 on this thread. */
  readonly verify?: VerifySignatures;
}

/** design/light-client.md: three weeks. */
export const WEAK_SUBJECTIVITY_MS = 21n * 24n * 60n * 60n * 1_000n;

/** The oldest head to believe at `nowMs`, Unix milliseconds. */
export const oldestTrustedMs = (nowMs: bigint): bigint =>
  nowMs > WEAK_SUBJECTIVITY_MS ? nowMs - WEAK_SUBJECTIVITY_MS : 0n;

/** The head of a chain that has not moved yet, from a genesis that is trusted. */
export function genesisHead(genesis: Genesis): TrustedHead {
  return {
    chainId: genesis.chainId,
    committee: genesisCommittee(genesis),
    closingWave: 0n,
    closingTimeMs: genesis.timestampMs,
    asOfMs: genesis.timestampMs,
  };
}

/**
 * Follows hand-overs from the head, one for each epoch, none left out.
 * @returns the head after the last of them
 * @throws PydeError `head.too-old`, `head.order`, and what `verifyHandOver` throws, naming the epoch
 * whose hand-over does not hold in the message and as `details.epoch`
 */
export function advanceHead(
  head: TrustedHead,
  handOvers: readonly HandOver[],
  options: HeadOptions,
): TrustedHead {
  requireRecent(head, options);
  let at = head;
  for (const handOver of handOvers) at = afterHandOver(at, handOver, options);
  return at;
}

/** @throws PydeError `head.too-old` */
export function requireRecent({ asOfMs, committee }: TrustedHead, { oldestMs }: HeadOptions): void {
  if (asOfMs >= oldestMs) return;
  throw new PydeError<HeadErrorCode>(
    'head.too-old',
    `the committee of epoch ${committee.epoch} was last known to be right at ${asOfMs} ms, and ` +
      `nothing from before ${oldestMs} ms is believed: members of that time may have signed ` +
      'another chain since. Take a newer genesis or head from somebody you trust',
    { asOfMs: asOfMs.toString(), oldestMs: oldestMs.toString() },
  );
}

/**
 * Checks that a record can be of the head's own epoch and after it; its certificate is not checked.
 * @throws PydeError `head.behind`, `head.missing-hand-over`, `head.order`
 */
export function requireOfHead(record: WaveCommitRecord, head: TrustedHead): void {
  const { epoch } = head.committee;
  if (record.epoch > epoch) {
    throw new PydeError<HeadErrorCode>(
      'head.missing-hand-over',
      `wave ${record.waveId} is of epoch ${record.epoch}, and the hand-overs lead to ${epoch}`,
      { epoch: record.epoch, head: epoch },
    );
  }
  if (record.epoch < epoch || record.waveId <= head.closingWave) {
    throw new PydeError<HeadErrorCode>(
      'head.behind',
      `wave ${record.waveId} of epoch ${record.epoch} lies before wave ${head.closingWave}, which ` +
        `is known to have opened epoch ${epoch}`,
      { epoch: record.epoch, wave: record.waveId.toString(), head: epoch },
    );
  }
  if (record.timestampMs > head.closingTimeMs) return;
  throw new PydeError<HeadErrorCode>(
    'head.order',
    `wave ${record.waveId} is of ${record.timestampMs} ms, no later than wave ` +
      `${head.closingWave} before it`,
  );
}

function afterHandOver(head: TrustedHead, handOver: HandOver, options: HeadOptions): TrustedHead {
  const { chainId, committee } = head;
  const { record }: HardFinalityCert = handOver.closing;
  try {
    requireOfHead(record, head);
    const { verify } = options;
    const next = verifyHandOver(handOver, committee, {
      chainId,
      ...(verify === undefined ? {} : { verify }),
    });
    const { waveId, timestampMs } = record;
    return {
      chainId,
      committee: next,
      closingWave: waveId,
      closingTimeMs: timestampMs,
      asOfMs: timestampMs > head.asOfMs ? timestampMs : head.asOfMs,
    };
  } catch (error) {
    if (!isPydeError(error)) throw error;
    throw new PydeError(
      error.code,
      `the hand-over from epoch ${committee.epoch} does not hold: ${error.message}`,
      { ...error.details, epoch: committee.epoch },
    );
  }
}
