/**
 * What both runtimes are asked: each probe is a function of its argument alone, built from core's
 * public face, and answers text. The same argument must give the same text on Node and in Chromium.
 */
import { toHex, u64LittleEndian } from '@pyde/core/bytes';
import {
  blake3,
  FalconSigner,
  falconKeygen,
  falconVerify,
  mlKem768,
  poseidon2,
} from '@pyde/core/crypto';
import { type SimOptions, Simulation, simOptions } from '@pyde/core/sim';
import { runByEngine } from '../../core/src/vm/testing/corpus/engine.ts';
import { compilersOfHotCode } from '../../core/src/vm/testing/corpus/tiers.ts';

/** Bytes that a seed determines; the probes need no quality of them, only that they repeat. */
function bytesOf(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const prefix = new TextEncoder().encode(seed);
  for (let at = 0; at < length; at += 32) {
    const block = blake3(prefix, new TextEncoder().encode(` ${at}`));
    bytes.set(block.subarray(0, Math.min(32, length - at)), at);
  }
  return bytes;
}

function crypto(seed: string): string {
  const { publicKey, secretKey } = falconKeygen(bytesOf(`${seed} key`, 32));
  let draws = 0;
  const signer = new FalconSigner(secretKey, (length) =>
    bytesOf(`${seed} draw ${draws++}`, length),
  );
  const message = bytesOf(`${seed} message`, 100);
  const signature = signer.sign(message);
  const kem = mlKem768.keygen(bytesOf(`${seed} kem`, 64));
  const sealed = mlKem768.encapsulate(kem.publicKey, bytesOf(`${seed} coins`, 32));
  return [
    toHex(blake3(message)),
    toHex(poseidon2(message)),
    toHex(publicKey),
    toHex(signature),
    String(falconVerify(publicKey, message, signature)),
    toHex(sealed.ciphertext),
    toHex(sealed.sharedSecret),
  ].join('\n');
}

/** The keys of the devnet's accounts, as `npm run sim` uses them; made anew, which takes a while. */
const devnetKeys = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    falconKeygen(blake3(new TextEncoder().encode('pyde-devnet-v1/'), u64LittleEndian(BigInt(i)))),
  );

/** A whole run of the simulator: consensus, execution, both state roots and every message. */
async function simulate(options: string): Promise<string> {
  const given: Partial<SimOptions> = JSON.parse(options);
  const simulation = await Simulation.open(simOptions(given), { keys: devnetKeys });
  return JSON.stringify(await simulation.run());
}

/** A case of the contracts' corpus: the lines of its runs, of fresh code and of hot. */
const contract = (given: string): string => JSON.stringify(runByEngine(JSON.parse(given)));

/** Which compilers of V8 run cold and hot code. */
const compilers = (_: string): string => compilersOfHotCode();

export const PROBES = { crypto, simulate, contract, compilers } as const satisfies Record<
  string,
  (argument: string) => string | Promise<string>
>;

export type ProbeName = keyof typeof PROBES;
