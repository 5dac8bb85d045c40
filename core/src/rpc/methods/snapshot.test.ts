import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../bytes/index.ts';
import { decodeSnapshot } from '../../state/index.ts';
import { TestNode } from '../testing.ts';
import { toBase64 } from './snapshot.ts';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('snapshots', () => {
  it('are described and sent at one wave, in standard base64', async () => {
    const { record } = await node.wave();
    const manifest = JSON.parse(JSON.stringify(await node.call('pyde_getSnapshotManifest')));
    expect(manifest).toMatchObject({
      wave_id: '0x1',
      state_root: toHex(record.stateRoot.blake3),
      chunk_size: 4 * 1024 * 1024,
      chunk_count: 1,
    });
    expect(manifest.chunk_hashes).toHaveLength(1);
    const bytes = Buffer.from(String(await node.call('pyde_getSnapshot')), 'base64');
    const snapshot = decodeSnapshot(Uint8Array.from(bytes));
    expect(snapshot.version).toBe(1n);
    expect(Number(snapshot.totalKeys)).toBe(manifest.total_keys);
  });

  it('encode base64 as the standard does', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 0xff);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }
  });
});
