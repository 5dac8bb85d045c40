/** Randomness as a platform supplies it: cryptographically strong outside tests. */

export interface Random {
  bytes(length: number): Uint8Array;
}
