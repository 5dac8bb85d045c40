/** Frames and handshakes of a link, peer records, what is exchanged and what is kept on disk. */
import { concatBytes } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { frameMessage } from '../../consensus/index.ts';
import { toHash, toValidatorIndex } from '../../types/index.ts';
import { FrameReader } from '../frame-reader.ts';
import { Handshake } from '../handshake.ts';
import {
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  LINK_VERSION,
  REFUSAL_CODES,
} from '../handshake-messages.ts';
import { hostKey, parseIp, subnetKey } from '../ip-address.ts';
import {
  encodeFrame,
  FRAME_KINDS,
  type Frame,
  type FrameKind,
  HANDSHAKE_FRAMES,
} from '../link-frames.ts';
import { checkMultiaddr } from '../multiaddr.ts';
import { decodeBook, encodeBook } from '../peer-book-store.ts';
import { decodePeerExchange, encodePeerExchange, MAX_EXCHANGED } from '../peer-exchange.ts';
import { decodePeerRecord, encodePeerRecord, verifyPeerRecord } from '../peer-record.ts';
import { decodeScores, encodeScores } from '../score-store.ts';
import { endOf, GENESIS_HASH, peerIdOf, recordOf, validatorKey, verify } from '../testing.ts';

const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const ALL = new Set(FRAME_KINDS);

const hello = encodeHello({
  version: LINK_VERSION,
  genesisHash: toHash(new Uint8Array(32)),
  validator: toValidatorIndex(3),
  session: new Uint8Array(16),
  nonce: new Uint8Array(32),
  peerId: peerIdOf(0),
});
const helloOfPeer = encodeHello({
  version: LINK_VERSION,
  genesisHash: GENESIS_HASH,
  validator: toValidatorIndex(0),
  session: new Uint8Array(16).fill(0x10),
  nonce: new Uint8Array(32).fill(0x80),
  peerId: peerIdOf(0),
});
const proof = new Uint8Array(666);
proof[0] = 0x39;

const record = recordOf(1, 5n);
const sentried = recordOf(2, 1n, {
  ends: [
    { peerId: peerIdOf(10), addresses: ['/dns4/a.example/tcp/1', '/ip6/2001:db8::1/tcp/1'] },
    { peerId: peerIdOf(11), addresses: [] },
  ],
});

/** Every whole frame of a stream that ends with one. */
function decodeStream(bytes: Uint8Array, allowed: ReadonlySet<FrameKind>): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(allowed);
  reader.feed(bytes, (frame) => frames.push(frame));
  reader.end();
  return frames;
}

/** The largest message, which one header may claim. */
const A_BATCH = 4 * 1024 * 1024 + 1;

export const netTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'stream of a link',
    seeds: [
      encodeFrame({ kind: 'hello', payload: hello }),
      concatBytes(
        encodeFrame({ kind: 'message', payload: frameMessage('vertex', new Uint8Array(40)) }),
        encodeFrame({ kind: 'ping', payload: new Uint8Array(8) }),
        encodeFrame({ kind: 'refuse', payload: new Uint8Array(6) }),
      ),
      encodeFrame({ kind: 'message', payload: frameMessage('batch', new Uint8Array(40)) }),
    ],
    decode: (bytes) => decodeStream(bytes, ALL),
    encode: (frames) => concatBytes(...frames.map(encodeFrame)),
    // One frame is allocated whole, as large as its kind may be.
    bound: (length) => ({ largest: A_BATCH, total: A_BATCH + 65_536 + 16 * length }),
  }),
  bytesTarget({
    name: 'stream of a link before its proof',
    seeds: [
      concatBytes(
        encodeFrame({ kind: 'hello', payload: hello }),
        encodeFrame({ kind: 'proof', payload: proof }),
      ),
    ],
    decode: (bytes) => decodeStream(bytes, HANDSHAKE_FRAMES),
    encode: (frames) => concatBytes(...frames.map(encodeFrame)),
  }),
  bytesTarget({
    name: 'hello of a link',
    seeds: [hello],
    layout: decodeHello,
    decode: decodeHello,
    encode: encodeHello,
  }),
  bytesTarget({
    name: 'proof of a link',
    seeds: [proof],
    decode: decodeProof,
    encode: (signature) => signature,
  }),
  bytesTarget({
    name: 'refusal of a link',
    seeds: REFUSAL_CODES.map((code) => encodeRefusal({ code, message: `${code} é` })),
    layout: decodeRefusal,
    decode: decodeRefusal,
    encode: encodeRefusal,
  }),
  bytesTarget({
    name: 'handshake that is given any first frame',
    seeds: [helloOfPeer],
    layout: decodeHello,
    decode: (payload) => {
      const machine = new Handshake(endOf(1, 'listener', 0));
      machine.begin();
      machine.receive({ kind: 'hello', payload });
      return machine.state;
    },
  }),
  bytesTarget({
    name: 'peer record',
    seeds: [encodePeerRecord(record), encodePeerRecord(sentried)],
    layout: decodePeerRecord,
    decode: decodePeerRecord,
    encode: encodePeerRecord,
  }),
  bytesTarget({
    name: 'peer record with its signature',
    seeds: [encodePeerRecord(record)],
    layout: decodePeerRecord,
    decode: (bytes) => {
      const read = decodePeerRecord(bytes);
      const publicKey = validatorKey(read.validator);
      return publicKey !== undefined && verifyPeerRecord(GENESIS_HASH, read, publicKey, verify);
    },
    bound: (length) => ({ largest: 65_536, total: 1_048_576 + 16 * length }),
    share: 0.2,
  }),
  bytesTarget({
    name: 'exchange of peers',
    seeds: [
      encodePeerExchange({ records: [], peers: [] }),
      encodePeerExchange({
        records: [record, sentried],
        peers: [{ peerId: peerIdOf(7), addresses: ['/ip4/192.0.2.9/udp/9/quic-v1'] }],
      }),
    ],
    layout: decodePeerExchange,
    decode: decodePeerExchange,
    encode: encodePeerExchange,
    craft: (random) =>
      encodePeerExchange({
        records: Array.from({ length: random.below(3) }, () => record),
        peers: Array.from({ length: random.between(MAX_EXCHANGED - 3, MAX_EXCHANGED) }, (_, i) => ({
          peerId: peerIdOf(i),
          addresses: [],
        })),
      }),
  }),
  bytesTarget({
    name: 'stored peers',
    seeds: [
      encodeBook({ peers: [], records: [] }),
      encodeBook({
        peers: [
          { peerId: peerIdOf(4), reached: true, addresses: ['/ip4/192.0.2.9/tcp/9'] },
          { peerId: peerIdOf(5), reached: false, addresses: [] },
        ],
        records: [record],
      }),
    ],
    layout: decodeBook,
    decode: decodeBook,
    encode: encodeBook,
  }),
  bytesTarget({
    name: 'stored scores',
    seeds: [
      encodeScores({ peers: [], hosts: [] }),
      encodeScores({
        peers: [{ name: peerIdOf(4), milli: 5_000, bans: 2, remainingMs: 60_000 }],
        hosts: [{ name: '2001:db8:0:0::/64', milli: 0, bans: 1, remainingMs: 0 }],
      }),
    ],
    layout: decodeScores,
    decode: decodeScores,
    encode: encodeScores,
  }),
  bytesTarget({
    name: 'address of the network',
    seeds: ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', '::', '1:2:3:4:5:6:7:8'].map((text) =>
      utf8.encode(text),
    ),
    decode: (bytes) => {
      const address = parseIp(textOf(bytes));
      return [hostKey(address), subnetKey(address)];
    },
    craft: (random) => {
      const parts = [
        '::',
        ':',
        '.',
        '0',
        '1',
        'ffff',
        '255',
        '256',
        '00',
        'a',
        '1.2.3.4',
        '%',
        ' ',
      ];
      return utf8.encode(
        Array.from({ length: random.between(1, 16) }, () => random.pick(parts)).join(''),
      );
    },
  }),
  bytesTarget({
    name: 'multiaddr',
    seeds: ['/ip4/192.0.2.1/tcp/9000', '/dns4/a.example/udp/1/quic-v1'].map((t) => utf8.encode(t)),
    decode: (bytes) => checkMultiaddr(textOf(bytes)),
    encode: (text) => utf8.encode(text),
  }),
];
