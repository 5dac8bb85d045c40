/** The answer of `wallet verify` and `util verify`: the exit code is the verdict. */
import { toHex } from '@pyde/core/bytes';
import { FALCON_MAX_SIGNATURE_BYTES, falconVerify, isFalconPublicKey } from '@pyde/core/crypto';
import type { Cli } from '../cli.ts';
import { EXIT, invalidArgs, type JsonValue } from '../output/index.ts';
import { hexBytes } from './message.ts';

export interface Claim {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** Hex, as given; one that is no signature at all is simply not valid. */
  readonly signature: string;
  readonly fields: { readonly [key: string]: JsonValue };
}

/** @throws Failure `InvalidArgs` for a key that is none, or a signature that is not hex */
export function answerVerdict(cli: Cli, event: string, claim: Claim): void {
  if (!isFalconPublicKey(claim.publicKey)) {
    throw invalidArgs('--pubkey: these bytes are no FALCON-512 public key');
  }
  const signature = hexBytes(claim.signature, '--signature');
  const valid =
    signature.length <= FALCON_MAX_SIGNATURE_BYTES &&
    falconVerify(claim.publicKey, claim.message, signature);
  cli.exitCode = valid ? EXIT.success : EXIT.validation;
  cli.output.event(
    event,
    { ...claim.fields, pubkey: toHex(claim.publicKey), message: toHex(claim.message), valid },
    valid ? cli.output.paint('green', 'valid') : cli.output.paint('red', 'not valid'),
  );
}
