/**
 * `node scripts/fuzz-coverage.ts [cases]`: runs the fuzz targets of core and says which branches of
 * the decoders no case went through (docs/protocol/fuzzing.md). Ends with status 1 when there is one
 * that is not known to be out of reach. V8 counts by itself: Node strips types to blanks, so that
 * offsets are those of the source.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzTarget } from '../core/src/bytes/testing/fuzz.ts';

/**
 * Files that decode, and in those that do more, the functions that do. What of them was called must
 * have been gone through.
 */
const DECODERS: Readonly<Record<string, readonly string[] | 'all'>> = {
  'account/account.ts': 'all',
  'account/authorization.ts': 'all',
  'account/name.ts': ['decodeName'],
  'bytes/borsh.ts': 'all',
  'bytes/hex.ts': 'all',
  'bytes/integer.ts': 'all',
  'consensus/message.ts': 'all',
  'consensus/records.ts': ['own'],
  'consensus/vertex-verification.ts': 'all',
  'crypto/aead.ts': 'all',
  'crypto/falcon-keys.ts': ['isFalconPublicKey', 'falconPublicKeyOf'],
  'crypto/falcon-sign-slots.ts': ['slotOf', '#expand', 'refused'],
  'crypto/falcon-signature.ts': 'all',
  'crypto/ml-kem.ts': 'all',
  'crypto/poseidon2.ts': ['isCanonicalPoseidon2'],
  'execution/archive.ts': ['readHead', 'readPosition'],
  'execution/fee-state.ts': ['decodeFeeState'],
  'net/frame-reader.ts': 'all',
  'net/handshake-messages.ts': ['helloVersion', 'decodeHello', 'decodeProof', 'decodeRefusal'],
  'net/ip-address.ts': ['parseIp', 'v4', 'v6', 'v6Part'],
  'net/link-frames.ts': ['decodeFrameHeader', 'checkPayload', 'messageLimit'],
  'net/multiaddr.ts': ['checkMultiaddr'],
  'net/peer-book-store.ts': ['decodeBook'],
  'net/peer-exchange.ts': ['decodePeerExchange'],
  'net/peer-id.ts': 'all',
  'net/peer-record.ts': ['decodePeerRecord', 'readPeerRecord', 'readPeerEnd', 'checkEnds'],
  'net/score-store.ts': ['decodeScores', 'readScore'],
  'rpc/json-bounds.ts': 'all',
  'rpc/json-rpc.ts': 'all',
  'rpc/methods/log.ts': 'all',
  'rpc/methods/proof.ts': ['readKeys', 'readKey', 'provenWave', 'hashAt'],
  'rpc/methods/simulate.ts': ['readCall'],
  'rpc/methods/transaction.ts': ['readLimit', 'readPosition'],
  'rpc/params.ts': 'all',
  'rpc/subscriptions.ts': ['readTopic'],
  'state/key.ts': ['stateKeyFromBytes', 'isStateKind'],
  'state/node-store.ts': ['leaf', 'decodeRootRecord', 'readRoot', 'badRecord'],
  'state/node.ts': ['decodeInnerNode'],
  'state/proof.ts': 'all',
  'state/snapshot.ts': [
    'decodeSnapshot',
    'readRoot',
    'loadSnapshot',
    'loadChunks',
    'decodeChunk',
    'requireRoot',
    'outOfOrder',
  ],
  'state/stale-list.ts': ['readStalePage'],
  'state/table.ts': ['openRecord'],
  'state/version-marks.ts': ['newest', 'readOldest'],
  'tx/codec.ts': 'all',
  'tx/payload.ts': 'all',
  'types/attestation.ts': 'all',
  'types/auth-keys.ts': 'all',
  'types/batch.ts': 'all',
  'types/brand.ts': 'all',
  'types/event-record.ts': 'all',
  'types/genesis.ts': 'all',
  'types/receipt.ts': 'all',
  'types/vertex.ts': 'all',
  'types/wave.ts': 'all',
  'vm/abi/attributes.ts': ['attributeFault'],
  'vm/abi/check-abi.ts': 'all',
  'vm/abi/contract-abi.ts': ['decodeAbi', 'readFunction', 'readAbiVersion'],
  'vm/decode/code-section.ts': 'all',
  'vm/decode/constant-expression.ts': 'all',
  'vm/decode/data-section.ts': 'all',
  'vm/decode/decode-module.ts': 'all',
  'vm/decode/element-section.ts': 'all',
  'vm/decode/export-section.ts': 'all',
  'vm/decode/function-section.ts': 'all',
  'vm/decode/global-section.ts': 'all',
  'vm/decode/import-section.ts': 'all',
  'vm/decode/memory-section.ts': 'all',
  'vm/decode/reader.ts': 'all',
  'vm/decode/size-limits.ts': 'all',
  'vm/decode/table-section.ts': 'all',
  'vm/decode/type-section.ts': 'all',
  'vm/validate/block-stack.ts': 'all',
  'vm/validate/block-type.ts': 'all',
  'vm/validate/definitions.ts': 'all',
  'vm/validate/function-body.ts': 'all',
  'vm/validate/immediates.ts': 'all',
  'vm/validate/imports.ts': 'all',
  'vm/validate/operand-stack.ts': 'all',
  'vm/validate/validate-module.ts': 'all',
  'validators/validator.ts': [
    'decodeValidator',
    'readRecord',
    'decodeOperatorIndex',
    'requireOrder',
  ],
};

/** Branches that no input reaches, whatever the file, and why. */
const NEVER: readonly (readonly [text: RegExp, why: string])[] = [
  [
    /^\?\? (0|-1|false|'\w+'|EMPTY_HASH|UNKNOWN|NONE)$/,
    'an index within bounds, which the type checker cannot see',
  ],
  [/^(default: )?(return )?\w+ satisfies never;$/, 'no other variant exists'],
  [/^throw error;( \})?$/, 'a defect, which must not be met'],
];

/** Branches that no input reaches, by file and a piece of their text, and why. */
const OUT_OF_REACH: readonly (readonly [file: string, text: string, why: string])[] = [
  ['bytes/borsh.ts', 'throw outOfRange(', 'of the writer: what was decoded is in range'],
  ['account/authorization.ts', 'is named twice', 'of the encoder: a bitmap names nobody twice'],
  ['consensus/vertex-verification.ts', 'round 0 is fixed', 'the intake holds all of round 0'],
  ['crypto/falcon-sign-slots.ts', 'this.#resident.pop()', 'seventeen keys: falcon-sign.test.ts'],
  ['crypto/falcon-sign-slots.ts', 'this.#vacate(oldest)', 'seventeen keys: falcon-sign.test.ts'],
  ['crypto/falcon-sign-slots.ts', 'the kernel answers', 'the kernel has no other answer'],
  ['rpc/json-rpc.ts', 'refuseForSize', 'answers of 32 MiB: json-rpc.test.ts'],
  ['rpc/json-rpc.ts', 'error.stack', 'a defect, which must not be met'],
  ['rpc/json-rpc.ts', 'String(error)', 'a defect, which must not be met'],
  ['vm/abi/check-abi.ts', 'with an unknown index', 'the validator has refused that'],
  ['vm/validate/operand-stack.ts', ": 'unknown'", 'only known types differ'],
  ['types/brand.ts', 'is between 0 and', 'no reader gives more than the width that it reads'],
  ['types/brand.ts', 'is a whole number up to', 'exactNumber and u16 give no others'],
];

interface Gap {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const cases = Number(process.argv[2] ?? 4_000);
const source = resolve(import.meta.dirname, '../core/src');
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const { coreTargets }: { coreTargets: readonly FuzzTarget[] } = await import(
  '../core/src/testing.ts'
);
let total = 0;
const started = performance.now();
for (const target of coreTargets) {
  const began = performance.now();
  const result = await target.run({ runs: Math.ceil(cases * target.share) });
  const seconds = (performance.now() - began) / 1_000;
  total += result.cases;
  const codes = [...result.refusals].map(([code, count]) => `${code} ${count}`).join(', ');
  console.log(
    `${target.name}: ${result.cases} cases, ${Math.round(result.cases / seconds)}/s, ` +
      `${result.accepted} accepted; ${codes}`,
  );
}
const rate = Math.round((1_000 * total) / (performance.now() - started));
console.log(`\n${coreTargets.length} decoders, ${total} cases, ${rate} cases/s\n`);

const { result: scripts } = await session.post('Profiler.takePreciseCoverage');
const gaps = scripts.flatMap((script) => {
  if (!script.url.startsWith('file:')) return [];
  const path = fileURLToPath(script.url);
  const file = relative(source, path).replaceAll('\\', '/');
  const decoders = DECODERS[file];
  return decoders === undefined ? [] : gapsIn(path, file, script.functions, decoders);
});
const open = gaps.filter(({ file, line, text }) => {
  const [, why] =
    NEVER.find(([pattern]) => pattern.test(text)) ??
    OUT_OF_REACH.map(
      ([where, piece, why]) => [where === file && text.includes(piece), why] as const,
    ).find(([applies]) => applies) ??
    [];
  if (why !== undefined)
    console.log(`out of reach: ${file}:${line}: ${text.slice(0, 60)} (${why})`);
  return why === undefined;
});
for (const { file, line, text } of open) console.log(`not reached: ${file}:${line}: ${text}`);
console.log(`${open.length} branches of ${Object.keys(DECODERS).length} files are not reached`);
process.exitCode = open.length === 0 ? 0 : 1;

interface CoveredFunction {
  readonly functionName: string;
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}

/** Ranges without a count inside functions that were called; the outermost of nested ones. */
function gapsIn(
  path: string,
  file: string,
  functions: readonly CoveredFunction[],
  decoders: readonly string[] | 'all',
): Gap[] {
  const text = readFileSync(path, 'utf8');
  const decoding = functions.filter(
    ({ functionName }) => decoders === 'all' || decoders.includes(functionName),
  );
  const called = decoding
    .flatMap(({ ranges }) => ranges.slice(0, 1))
    .filter(({ startOffset, count }) => count > 0 && startOffset > 0);
  if (called.length === 0) throw new Error(`no case called a decoder of ${file}`);
  const idle = functions
    .flatMap(({ ranges }) => ranges)
    .filter(({ count, startOffset, endOffset }) => {
      const inside = called.some(
        (outer) => outer.startOffset <= startOffset && endOffset <= outer.endOffset,
      );
      // What closes a block after a return or a throw is counted and is nothing.
      return count === 0 && inside && /[^\s})\];,]/.test(text.slice(startOffset, endOffset));
    });
  const outermost = idle.filter(
    (one) =>
      !idle.some(
        (other) =>
          other !== one &&
          other.startOffset <= one.startOffset &&
          one.endOffset <= other.endOffset &&
          other.endOffset - other.startOffset > one.endOffset - one.startOffset,
      ),
  );
  return outermost.map(({ startOffset, endOffset }) => ({
    file,
    line: text.slice(0, startOffset).split('\n').length,
    text: text.slice(startOffset, endOffset).replace(/\s+/g, ' ').trim().slice(0, 160),
  }));
}
