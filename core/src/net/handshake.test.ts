import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { toHash, toValidatorIndex } from '../types/index.ts';
import { Handshake, type HandshakeEffect, type HandshakeOptions } from './handshake.ts';
import {
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  type Hello,
  handshakeDigest,
  LINK_VERSION,
  MAX_REFUSAL_BYTES,
} from './handshake-messages.ts';
import type { Frame } from './link-frames.ts';
import { endOf, GENESIS_HASH, peerIdOf, shakeHands } from './testing.ts';

const dialler = (changes: Partial<HandshakeOptions> = {}) => endOf(0, 'dialler', 1, changes);
const listener = (changes: Partial<HandshakeOptions> = {}) => endOf(1, 'listener', 0, changes);

const provenOf = (effects: readonly HandshakeEffect[]) =>
  effects.find((effect) => effect.kind === 'proven')?.peer;
const failureOf = (effects: readonly HandshakeEffect[]) =>
  effects.find((effect) => effect.kind === 'failed');
const sentOf = (effects: readonly HandshakeEffect[]): Frame[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.frame] : []));

const helloOf = (changes: Partial<Hello> = {}): Frame => ({
  kind: 'hello',
  payload: encodeHello({
    version: LINK_VERSION,
    genesisHash: GENESIS_HASH,
    validator: toValidatorIndex(0),
    session: new Uint8Array(16).fill(0x10),
    nonce: new Uint8Array(32).fill(0x80),
    peerId: peerIdOf(0),
    ...changes,
  }),
});

/** A listener that was given one frame. */
function given(frame: Frame, changes: Partial<HandshakeOptions> = {}) {
  const machine = new Handshake(listener(changes));
  machine.begin();
  const effects = machine.receive(frame);
  return { machine, effects, failure: failureOf(effects) };
}

describe('the handshake of two honest validators', () => {
  it('proves each to the other', () => {
    const [a, b] = shakeHands(dialler(), listener());
    expect(provenOf(a.effects)).toEqual({
      validator: 1,
      peerId: peerIdOf(1),
      session: new Uint8Array(16).fill(0x11),
    });
    expect(provenOf(b.effects)).toEqual({
      validator: 0,
      peerId: peerIdOf(0),
      session: new Uint8Array(16).fill(0x10),
    });
    expect([a.machine.state, b.machine.state]).toEqual(['proven', 'proven']);
  });

  it('lets the listener sign only after the dialler has proved itself', () => {
    let signed = 0;
    const options = listener();
    const machine = new Handshake({
      ...options,
      sign: (digest) => {
        signed++;
        return options.sign(digest);
      },
    });
    machine.begin();
    machine.receive(helloOf());
    expect(signed).toBe(0);
    expect(machine.claimed).toBe(0);
    const forged = new Uint8Array(666).fill(1);
    forged[0] = 0x39;
    machine.receive({ kind: 'proof', payload: forged });
    expect(signed).toBe(0);
  });

  it('takes over a sentry the peer id that the hello names', () => {
    const [a, b] = shakeHands(dialler({ remotePeerId: undefined }), listener());
    expect(provenOf(a.effects)?.peerId).toBe(peerIdOf(1));
    expect(provenOf(b.effects)?.peerId).toBe(peerIdOf(0));
  });

  it('always agrees, whoever dials and whatever is drawn', () => {
    const drawn = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        drawn(16),
        drawn(16),
        drawn(32),
        drawn(32),
        (i, apart, sessionA, sessionB, nonceA, nonceB) => {
          fc.pre(!equalBytes(nonceA, nonceB));
          const j = (i + apart) % 4;
          const [a, b] = shakeHands(
            endOf(i, 'dialler', j, { session: sessionA, nonce: nonceA }),
            endOf(j, 'listener', i, { session: sessionB, nonce: nonceB }),
          );
          expect(provenOf(a.effects)).toEqual({
            validator: j,
            peerId: peerIdOf(j),
            session: sessionB,
          });
          expect(provenOf(b.effects)).toEqual({
            validator: i,
            peerId: peerIdOf(i),
            session: sessionA,
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('never proves another identity when one byte of any frame is changed', () => {
    let unproven = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (frame, at, flip) => {
          const changed = (bytes: Uint8Array, n: number): Uint8Array => {
            if (n !== frame) return bytes;
            const out = bytes.slice();
            const where = at % out.length;
            out[where] = (out[where] ?? 0) ^ flip;
            return out;
          };
          const [a, b] = shakeHands(dialler(), listener(), changed);
          const [seenByA, seenByB] = [provenOf(a.effects), provenOf(b.effects)];
          if (seenByA === undefined || seenByB === undefined) unproven++;
          if (seenByA !== undefined) {
            expect(seenByA).toEqual({
              validator: 1,
              peerId: peerIdOf(1),
              session: new Uint8Array(16).fill(0x11),
            });
          }
          if (seenByB !== undefined) {
            expect(seenByB).toEqual({
              validator: 0,
              peerId: peerIdOf(0),
              session: new Uint8Array(16).fill(0x10),
            });
          }
        },
      ),
      { numRuns: 400 },
    );
    // Every byte is under a signature, or names its frame.
    expect(unproven).toBe(400);
  });
});

describe('what a proof signs', () => {
  const hello = (i: number): Hello => ({
    version: LINK_VERSION,
    genesisHash: GENESIS_HASH,
    validator: toValidatorIndex(i),
    session: new Uint8Array(16).fill(i),
    nonce: new Uint8Array(32).fill(i),
    peerId: peerIdOf(i),
  });

  it('is laid out as the page says', () => {
    const end = (i: number): number[] => [
      ...[i, 0, 52, 0, 0, 0],
      ...new TextEncoder().encode(peerIdOf(i)),
      ...Array<number>(16).fill(i),
    ];
    const nonces = [...Array<number>(32).fill(2), ...Array<number>(32).fill(1)];
    const body = Uint8Array.from([...GENESIS_HASH, ...end(1), ...end(2), ...nonces]);
    const domain = new TextEncoder().encode('pyde/handshake/1');
    expect(handshakeDigest(GENESIS_HASH, hello(1), hello(2))).toEqual(toHash(blake3(domain, body)));
  });
});

describe('what a handshake refuses', () => {
  const cases: readonly [string, Frame, string, string | undefined][] = [
    [
      'another chain',
      helloOf({ genesisHash: toHash(new Uint8Array(32)) }),
      'wrong-chain',
      undefined,
    ],
    ['another version', helloOf({ version: 2 }), 'wrong-version', undefined],
    [
      'an index that no validator has',
      helloOf({ validator: toValidatorIndex(9) }),
      'not-a-validator',
      'failed-handshake',
    ],
    [
      'a peer id that is not the one of the connection',
      helloOf({ peerId: peerIdOf(3) }),
      'bad-proof',
      'replayed-handshake',
    ],
    ['our own peer id', helloOf({ peerId: peerIdOf(1) }), 'bad-proof', 'replayed-handshake'],
    [
      'our own index in another process: the key runs twice',
      helloOf({ validator: toValidatorIndex(1), session: new Uint8Array(16) }),
      'live-elsewhere',
      undefined,
    ],
    [
      'our own index in our own session from another end: our words said again',
      helloOf({ validator: toValidatorIndex(1), session: new Uint8Array(16).fill(0x11) }),
      'bad-proof',
      'replayed-handshake',
    ],
    [
      'our own hello sent back',
      {
        kind: 'hello',
        payload: sentOf(new Handshake(listener()).begin())[0]?.payload ?? new Uint8Array(0),
      },
      'bad-proof',
      'replayed-handshake',
    ],
    [
      'a proof before the hello',
      { kind: 'proof', payload: new Uint8Array(666) },
      'bad-proof',
      'bad-frame',
    ],
    [
      'a message before the proof',
      { kind: 'message', payload: new Uint8Array(9) },
      'bad-proof',
      'bad-frame',
    ],
    [
      'a hello that cannot be read',
      { kind: 'hello', payload: Uint8Array.of(1, 0, 5) },
      'bad-proof',
      'bad-frame',
    ],
    ['a hello of one byte', { kind: 'hello', payload: Uint8Array.of(1) }, 'bad-proof', 'bad-frame'],
  ];
  it.each(cases)('%s', (_what, frame, code, offence) => {
    const { machine, effects, failure } = given(frame);
    expect(failure).toMatchObject({ code, offence });
    expect(machine.state).toBe('over');
    const [refusal] = sentOf(effects);
    expect(refusal?.kind).toBe('refuse');
    expect(decodeRefusal(refusal?.payload ?? new Uint8Array(0)).code).toBe(code);
  });

  it('a hello of a later version, whatever follows its version', () => {
    const later = { kind: 'hello' as const, payload: Uint8Array.of(2, 0, 99, 98, 97) };
    expect(given(later).failure?.code).toBe('wrong-version');
  });

  it('a second hello', () => {
    const { machine } = given(helloOf());
    expect(failureOf(machine.receive(helloOf()))).toMatchObject({ code: 'bad-proof' });
  });

  it('everything after a refusal, without a word', () => {
    const { machine } = given(helloOf({ validator: toValidatorIndex(9) }));
    expect(machine.receive(helloOf())).toEqual([]);
    expect(machine.state).toBe('over');
  });

  it('a proof by another key', () => {
    const thief = dialler({ sign: endOf(2, 'dialler', 1).sign });
    const [a, b] = shakeHands(thief, listener());
    expect(failureOf(b.effects)).toMatchObject({ code: 'bad-proof', offence: 'bad-signature' });
    expect(provenOf(a.effects)).toBeUndefined();
    expect(a.effects.at(-1)).toMatchObject({ kind: 'refused', code: 'bad-proof' });
  });

  it('a proof that was made for another nonce: everything that was once sent, sent again', () => {
    const recorded: Uint8Array[] = [];
    shakeHands(dialler(), listener(), (bytes) => {
      recorded.push(bytes);
      return bytes;
    });
    // What the dialler sent: frames 0 and 2. The listener draws a new nonce.
    const machine = new Handshake(listener({ nonce: new Uint8Array(32).fill(0x55) }));
    machine.begin();
    const payload = (n: number): Uint8Array => recorded[n]?.slice(5) ?? new Uint8Array(0);
    expect(failureOf(machine.receive({ kind: 'hello', payload: payload(0) }))).toBeUndefined();
    expect(failureOf(machine.receive({ kind: 'proof', payload: payload(2) }))).toMatchObject({
      code: 'bad-proof',
      offence: 'bad-signature',
    });
  });

  it('our own proof sent back in the other role', () => {
    const a = new Handshake(dialler());
    a.begin();
    const [proof] = sentOf(
      a.receive(
        helloOf({
          validator: toValidatorIndex(1),
          session: new Uint8Array(16).fill(0x11),
          nonce: new Uint8Array(32).fill(0x81),
          peerId: peerIdOf(1),
        }),
      ),
    );
    expect(proof?.kind).toBe('proof');
    expect(failureOf(a.receive(proof ?? helloOf()))).toMatchObject({ code: 'bad-proof' });
  });

  it('a proof that was made for another listener, passed on by one that both reached', () => {
    // 0 dials 2, which passes everything on to 1 under its own connection.
    const [, b] = shakeHands(endOf(0, 'dialler', 2), endOf(1, 'listener', 2));
    expect(provenOf(b.effects)).toBeUndefined();
    expect(failureOf(b.effects)).toMatchObject({ code: 'bad-proof' });
  });

  it('a proof that a false validator drew out for itself, with our nonce in its hello', () => {
    const ours = new Handshake(listener({ remotePeerId: undefined }));
    ours.begin();
    const victim = new Handshake(endOf(0, 'dialler', 2));
    const [hello] = sentOf(victim.begin());
    const [proof] = sentOf(
      victim.receive(
        helloOf({
          validator: toValidatorIndex(2),
          session: new Uint8Array(16).fill(0x11),
          nonce: new Uint8Array(32).fill(0x81),
          peerId: peerIdOf(2),
        }),
      ),
    );
    expect(proof?.kind).toBe('proof');
    expect(failureOf(ours.receive(hello ?? helloOf()))).toBeUndefined();
    expect(failureOf(ours.receive(proof ?? helloOf()))).toMatchObject({ code: 'bad-proof' });
  });

  it('leaves the other side without a proof when we are busy', () => {
    const machine = new Handshake(listener());
    machine.begin();
    const effects = machine.refuse('busy', 'too many handshakes');
    expect(failureOf(effects)).toMatchObject({ code: 'busy', offence: undefined });
    const other = new Handshake(dialler());
    other.begin();
    const [refusal] = sentOf(effects);
    expect(other.receive(refusal ?? helloOf())).toEqual([
      { kind: 'refused', code: 'busy', message: 'too many handshakes' },
    ]);
    expect(other.state).toBe('over');
  });

  it('cuts what it says to the size of the frame, between characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600, unit: 'grapheme' }), (message) => {
        const read = decodeRefusal(encodeRefusal({ code: 'busy', message }));
        expect(new TextEncoder().encode(read.message).length).toBeLessThanOrEqual(
          MAX_REFUSAL_BYTES,
        );
        if (new TextEncoder().encode(message).length <= MAX_REFUSAL_BYTES) {
          expect(read.message).toBe(message);
        }
      }),
    );
  });
});
