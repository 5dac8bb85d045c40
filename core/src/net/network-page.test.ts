/** docs/protocol/network.md has the tables of this folder as they are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { REFUSAL_CODES } from './handshake-messages.ts';
import {
  decodeFrameHeader,
  FRAME_KINDS,
  type FrameKind,
  HANDSHAKE_FRAMES,
  LINK_FRAMES,
} from './link-frames.ts';
import { OFFENCE_POINTS } from './offence.ts';
import { GOSSIP_LIMITS, REQUEST_LIMITS } from './protocol-limits.ts';
import { SEND_QUEUE_BYTES } from './send-queue.ts';

const page = readFileSync(new URL('../../../docs/protocol/network.md', import.meta.url), 'utf8');

/** Cells of the rows under a heading, without the marks of code. */
function tableUnder(heading: string, firstColumn: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [, table = ''] = section.split(`\n| ${firstColumn} |`);
  const [body = ''] = table.split('\n\n');
  return body
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

/** Is a payload of so many bytes taken? */
function takes(kind: FrameKind, length: number): boolean {
  const peek = new Uint8Array(6);
  new DataView(peek.buffer).setUint32(0, length, true);
  peek[4] = FRAME_KINDS.indexOf(kind);
  try {
    decodeFrameHeader(peek, new Set(FRAME_KINDS));
    return true;
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return false;
  }
}

describe('the page of the network', () => {
  it('has the kinds of frames, their sizes and when they are taken', () => {
    const rows = tableUnder('Frames', 'Kind');
    expect(rows.map(([number, name]) => [Number(number), name])).toEqual([
      ...FRAME_KINDS.entries(),
    ]);
    for (const [, name, bytes = '', when] of rows) {
      const kind = FRAME_KINDS.find((known) => known === name) ?? 'message';
      const [least = 0, most = least] = (bytes.match(/\d+/g) ?? []).map(Number);
      expect([takes(kind, least), takes(kind, least - 1)]).toEqual([true, false]);
      if (kind !== 'message') {
        expect([takes(kind, most), takes(kind, most + 1)]).toEqual([true, false]);
      }
      const before = when !== 'after the proof';
      const after = when !== 'before the proof';
      expect([HANDSHAKE_FRAMES.has(kind), LINK_FRAMES.has(kind)]).toEqual([before, after]);
    }
  });

  it('has the codes of refusals', () => {
    const rows = tableUnder('Handshake', 'Number');
    expect(rows.map(([number, code]) => [Number(number), code])).toEqual([
      ...REFUSAL_CODES.entries(),
    ]);
  });

  it('has the bounds of the send queues', () => {
    const rows = tableUnder('Sending', 'Class').map(([name, bound = '']) => [
      name,
      Number.parseInt(bound, 10) * 1024 * 1024,
    ]);
    expect(Object.fromEntries(rows)).toEqual(SEND_QUEUE_BYTES);
  });

  it('has the limits of every request protocol and gossip topic', () => {
    const requests = Object.entries(REQUEST_LIMITS).map(([name, limit]) => [
      name,
      limit.maxQuestionBytes,
      limit.maxAnswerBytes,
      limit.rate.capacity,
      limit.rate.perSecond,
      limit.rateInAll.perSecond,
      limit.maxOpen,
      limit.timeoutMs / 1_000,
    ]);
    expect(tableUnder('Tables', 'Protocol')).toEqual(requests.map((row) => row.map(String)));
    const topics = Object.entries(GOSSIP_LIMITS).map(([name, limit]) => [
      name,
      limit.maxBytes,
      limit.rate.capacity,
      limit.rate.perSecond,
    ]);
    expect(tableUnder('Tables', 'Topic')).toEqual(topics.map((row) => row.map(String)));
  });

  it('has the limits of connections', () => {
    const { exemptLocal: _, ...limits } = DEFAULT_CONNECTION_LIMITS;
    const rows = tableUnder('Connections', 'Limit').map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(rows)).toEqual(limits);
  });

  it('has every offence and its points', () => {
    const rows = tableUnder('Scores', 'Offence').map(([name, points]) => [name, Number(points)]);
    expect(Object.fromEntries(rows)).toEqual(OFFENCE_POINTS);
  });
});
