/**
 * The vertex that this member made last (design/consensus.md, "Production"): it is sent when it is
 * made, again at every leader timeout and on every connection, so that whoever missed it goes on.
 */
import type { MemberIndex } from '../types/index.ts';
import type { EffectList } from './effect-list.ts';
import { frameMessage } from './message.ts';

export class NewestOwn {
  readonly #hasOthers: boolean;
  #bytes: Uint8Array | undefined;
  #sentMs = 0;

  /** @param bytes undefined when none was made, or when its bytes are gone */
  constructor(hasOthers: boolean, bytes: Uint8Array | undefined) {
    this.#hasOthers = hasOthers;
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  made(bytes: Uint8Array, effects: EffectList, nowMs: number): void {
    this.#bytes = bytes;
    this.send(effects, nowMs);
  }

  send(effects: EffectList, nowMs: number): void {
    this.#sentMs = nowMs;
    if (this.#bytes === undefined || !this.#hasOthers) return;
    effects.add({ kind: 'broadcast', message: frameMessage('vertex', this.#bytes) });
  }

  sendTo(member: MemberIndex, effects: EffectList): void {
    if (this.#bytes === undefined) return;
    effects.add({ kind: 'send', member, message: frameMessage('vertex', this.#bytes) });
  }

  /** Sends it again if it is due. @returns when it is next due; undefined while there is none */
  resend(effects: EffectList, nowMs: number, timeoutMs: number): number | undefined {
    if (this.#bytes === undefined || !this.#hasOthers) return undefined;
    if (nowMs >= this.#sentMs + timeoutMs) this.send(effects, nowMs);
    return this.#sentMs + timeoutMs;
  }
}
