/**
 * The digest chain (design/consensus.md, "Finality"): every record names the digest of the one
 * before, so one certificate vouches for all records back to the last trusted one.
 */
import { equalBytes } from '../bytes/index.ts';
import {
  type HardFinalityCert,
  type Hash,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { type CertOptions, refuse, verifyCert } from './cert.ts';
import type { Committee } from './committee.ts';

/**
 * Checks that `between`, in wave order, leads without a gap from the trusted record to the
 * certificate's, and that the certificate holds.
 * @returns the digest of the certificate's record
 * @throws PydeError `cert.wave-gap`, `cert.prev-digest`, `cert.timestamp`, `cert.anchor-round`,
 * `cert.chain-id`, `cert.epoch`, and what {@link verifyCert} throws
 */
export function verifyCertChain(
  trusted: WaveCommitRecord,
  between: readonly WaveCommitRecord[],
  cert: HardFinalityCert,
  committee: Committee,
  options: CertOptions,
): Hash {
  let previous = trusted;
  for (const record of [...between, cert.record]) {
    verifyLink(previous, record);
    previous = record;
  }
  return verifyCert(cert, committee, options);
}

/** Checks what one record says about the one before it. @throws PydeError */
export function verifyLink(previous: WaveCommitRecord, record: WaveCommitRecord): void {
  const wave = record.waveId;
  if (wave !== previous.waveId + 1n) {
    throw refuse('cert.wave-gap', `wave ${wave} does not follow wave ${previous.waveId}`);
  }
  if (record.chainId !== previous.chainId) {
    throw refuse('cert.chain-id', `wave ${wave} is of chain ${record.chainId}`);
  }
  if (!equalBytes(record.prevDigest, waveDigest(previous))) {
    throw refuse('cert.prev-digest', `wave ${wave} names another record than wave ${wave - 1n}'s`);
  }
  if (record.timestampMs <= previous.timestampMs) {
    throw refuse('cert.timestamp', `wave ${wave} is not later than wave ${wave - 1n}`);
  }
  // After a closing record, which names the next committee, comes the next epoch, and only then.
  const isHandedOver = previous.nextCommitteeHash !== undefined;
  if (record.epoch !== previous.epoch + (isHandedOver ? 1 : 0)) {
    throw refuse(
      'cert.epoch',
      `wave ${wave} is of epoch ${record.epoch} after one of ${previous.epoch} that ` +
        (isHandedOver ? 'closed it' : 'did not close it'),
    );
  }
  // Rounds begin anew with the DAG of an epoch.
  const before = isHandedOver ? 0 : previous.anchorRound;
  if (record.priorAnchorRound !== before || record.anchorRound <= before) {
    throw refuse(
      'cert.anchor-round',
      `wave ${wave} has anchor rounds ${record.priorAnchorRound} and ${record.anchorRound} ` +
        `after ${before}`,
    );
  }
}
