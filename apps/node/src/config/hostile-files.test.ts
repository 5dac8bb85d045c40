/** Files that anybody may have written: whatever they hold, the answer is a sentence. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError } from '@pyde/core/bytes';
import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { readGenesisToml } from '../genesis/genesis-toml.ts';
import { readContribution, readGenesisFile } from '../genesis/index.ts';
import { readNodeConfig } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pyde-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'file');

/** Reads, or refuses with a sentence. */
async function readsOrRefuses(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!isPydeError(error)) throw error;
  }
}

const SETTINGS = `[chain]
genesis = "genesis.bin"
[[network.sentry_for]]
peer_id = 'a'
validator = 3
[network]
listen = ["/ip4/0.0.0.0/tcp/1", """/ip4/0.0.0.0/tcp/2"""]
[rpc]
listen = "127.0.0.1:1"
`;
const GENESIS = `[chain]
name = "n"
id = 1
start = 2026-01-01T00:00:00Z
[[allocations]]
address = "0x${'00'.repeat(32)}"
balance = "1_0"
`;

/** The text with a part taken out and another put in. */
const bent = (text: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.nat(text.length),
      fc.nat(12),
      fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.constantFrom('[', ']]', '"""', '\\', '=', '{', '\n', '#', '.', '0x', '__proto__', '1e9'),
      ),
    )
    .map(([at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone));

const anyText = (text: string): fc.Arbitrary<string> =>
  fc.oneof(bent(text), fc.string({ maxLength: 200 }), bent(text).chain(bent));

const CONTRIBUTION = JSON.stringify({
  ...{ version: 1, kind: 'pyde-genesis-contribution', network: 'n', public_key: '0x', stake: '1' },
  ...{ operator: `0x${'00'.repeat(32)}`, addresses: ['/ip4/1.2.3.4/tcp/1'], signature: '0x' },
});

describe('a file of any content', () => {
  it('as settings', async () => {
    await fc.assert(
      fc.asyncProperty(anyText(SETTINGS), async (text) => {
        writeFileSync(path, text);
        await readsOrRefuses(() => readNodeConfig(path));
      }),
      { numRuns: 600 },
    );
  });

  it('as genesis.toml', async () => {
    await fc.assert(
      fc.asyncProperty(anyText(GENESIS), async (text) => {
        writeFileSync(path, text);
        await readsOrRefuses(() => readGenesisToml(path));
      }),
      { numRuns: 600 },
    );
  });

  it('as a contribution', async () => {
    const json = fc.json().map((text) => CONTRIBUTION.replace('"0x"', text));
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyText(CONTRIBUTION), json), (text) =>
        readsOrRefuses(() => readContribution(text, 'me.json', 'n')),
      ),
      { numRuns: 600 },
    );
  });

  it('as a genesis', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        writeFileSync(path, Uint8Array.of(2, ...bytes));
        await readsOrRefuses(() => readGenesisFile(path));
      }),
      { numRuns: 300 },
    );
  });
});
