import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Home } from '../../testing.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../../../core/vectors/wire-vectors.json', import.meta.url), 'utf8'),
);
const home = new Home();
afterAll(() => home.remove());

describe('otigen util', () => {
  it('hashes hex with and without 0x, from an argument or standard input', async () => {
    const { in: input, out } = vectors.poseidon2[2];
    expect(await home.run('util', 'hash', 'poseidon2', input)).toMatchObject({
      code: 0,
      stdout: `${out}\n`,
    });
    const piped = await home.runWith(`${input.slice(2)}\n`, 'util', 'hash', 'poseidon2', '-');
    expect(piped.stdout).toBe(`${out}\n`);
    const keccak = await home.run('util', 'hash', 'keccak256', '0x', '--json');
    expect(keccak.events()).toEqual([
      {
        event: 'util_hash',
        algorithm: 'keccak256',
        digest: '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
      },
    ]);
    const blake3 = await home.run('util', 'hash', 'blake3', '0x');
    expect(blake3.stdout).toBe(
      '0xaf1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n',
    );
  });

  it('derives the address of a public key and refuses what is none', async () => {
    const { pk, address } = vectors.address[0];
    expect((await home.run('util', 'address', pk)).stdout).toBe(`${address}\n`);
    expect(await home.run('util', 'address', pk.slice(0, -2))).toMatchObject({ code: 1 });
    expect(await home.run('util', 'address', `0x0a${pk.slice(4)}`)).toMatchObject({ code: 1 });
  });

  it('decodes a transaction with its hash, and refuses one byte more or less', async () => {
    const { tx, hash, wire } = vectors.signed_tx;
    const [event] = (await home.run('util', 'tx', wire, '--json')).events();
    expect(event).toMatchObject({
      event: 'util_tx',
      tx_hash: hash,
      type_name: 'Standard',
      from: tx.from,
      to: tx.to,
      value: String(tx.value),
      nonce: String(tx.nonce),
      gas_limit: String(tx.gasLimit),
      chain_id: String(tx.chainId),
      fee_payer: 'sender',
      deadline: null,
    });
    for (const bad of [`${wire}00`, wire.slice(0, -2), '0x']) {
      const refused = await home.run('util', 'tx', bad);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/^otigen \[ERROR\] [a-z]+\.[a-z-]+: /);
    }
  });

  it('verifies all three signature encodings and says no by exit code 1', async () => {
    const [v] = vectors.falcon;
    const claim = ['util', 'verify', '--pubkey', v.pk, '--message', v.msg, '--signature'];
    expect(await home.run(...claim, v.sig)).toMatchObject({ code: 0, stdout: 'valid\n' });
    expect(await home.run(...claim, v.sigCompressed)).toMatchObject({ code: 0 });
    const bad = `${v.sig.slice(0, -2)}${v.sig.endsWith('00') ? '01' : '00'}`;
    expect(await home.run(...claim, bad)).toMatchObject({ code: 1, stdout: 'not valid\n' });
    expect(await home.run(...claim, '0x')).toMatchObject({ code: 1, stdout: 'not valid\n' });
    const asText = [...claim.slice(0, 4), '--text', ...claim.slice(4)];
    expect(await home.run(...asText, v.sig)).toMatchObject({ code: 1 });
  });
});
