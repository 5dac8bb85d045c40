/**
 * The thread side of the verification pool: FALCON checks on its own WebAssembly kernel. It loads
 * that kernel and nothing else: with all of core's cryptography it took 30 MB, and takes 13.
 */
import { parentPort } from 'node:worker_threads';
import { falconVerifyBatch } from '@pyde/core/crypto/falcon-verify';
import { unpackChecks } from './verification-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');

port.on('message', ({ id, packed }: { id: number; packed: Uint8Array }) => {
  const verdicts = Uint8Array.from(falconVerifyBatch(unpackChecks(packed)), (ok) => (ok ? 1 : 0));
  port.postMessage({ id, verdicts }, [verdicts.buffer]);
});
