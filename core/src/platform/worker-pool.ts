/**
 * Work that a platform may do on other threads. The one kind so far is the check of FALCON
 * signatures, which costs more than all else at admission.
 */

export interface SignatureCheck {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** One verdict a check, in order; at once, on the calling thread. */
export type VerifySignatures = (checks: readonly SignatureCheck[]) => readonly boolean[];

export interface WorkerPool {
  /** One verdict a check, in order. Rejects only when the pool is closed or its queue is full. */
  verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]>;
  close(): Promise<void>;
}
