/** What a run comes to. */
import type { FaultyMember } from './byzantine/index.ts';
import type { Percentiles } from './samples.ts';
import type { SignatureKind } from './signatures.ts';
import type { ViolationCode } from './violation.ts';

export interface ReportedViolation {
  readonly code: ViolationCode;
  readonly node: number | undefined;
  /** How many steps of nodes had been made. */
  readonly step: number;
  readonly atMs: number;
  readonly message: string;
}

export interface SimReport {
  readonly seed: number;
  readonly validators: number;
  readonly signatures: SignatureKind;
  /** Work that is the same for all is done once (waves executed, records made): above 16 members. */
  readonly sharedWork: boolean;
  /** Messages arrive at multiples of it (`arrivals.ts`); 0 where each has a time of its own. */
  readonly arrivalTickMs: number;
  readonly simulatedSeconds: number;
  readonly epochs: number;
  readonly waves: number;
  /** The highest round of any epoch. */
  readonly rounds: number;
  /** Rounds whose anchor is in no wave. */
  readonly skippedAnchors: number;
  readonly faulty: readonly FaultyMember[];
  /** Contradictions of theirs that honest members reported. */
  readonly evidence: number;
  /** Sent by clients. */
  readonly transactions: number;
  readonly executed: number;
  /** With a reason that the sender can ask for. */
  readonly dropped: number;
  readonly messages: number;
  readonly lostMessages: number;
  readonly crashes: number;
  readonly steps: number;
  /** From a vertex leaving its author until its author orders it. */
  readonly commitLatencyMs: Percentiles | undefined;
  /** From a client's submission until its node holds a certificate that vouches for the wave. */
  readonly finalityLatencyMs: Percentiles | undefined;
  /** The same of those submitted to their home member. */
  readonly homeFinalityLatencyMs: Percentiles | undefined;
  readonly violations: readonly ReportedViolation[];
  /** Of everything that happened, in order. */
  readonly digest: string;
}
