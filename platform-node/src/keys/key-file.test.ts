import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError, toHex } from '@pyde/core/bytes';
import { falconVerify } from '@pyde/core/crypto';
import { toEpoch, toHash, toWaveId } from '@pyde/core/types';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { devnetAccounts } from '../devnet/devnet-keys.ts';
import { systemRandom } from '../runtime/system-clock.ts';
import {
  openKeyFile,
  readKeyFile,
  type SignedElsewhere,
  validatorSigner,
  writeKeyFile,
} from './key-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'pyde-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [key, other] = devnetAccounts(2);
if (key === undefined || other === undefined) throw new Error('two accounts are constants');

let path: string;
let made = 0;
beforeEach(() => {
  path = join(folder, `${made++}`, 'validator.key');
});

const signed: SignedElsewhere = {
  id: toHash(new Uint8Array(32).fill(1)),
  chain: toHash(new Uint8Array(32).fill(2)),
  mark: {
    epoch: toEpoch(3),
    round: 4_000,
    waveId: toWaveId(1n << 63n),
    digest: toHash(new Uint8Array(32).fill(5)),
  },
};

/** The file with one field changed. */
function change(field: string, value: unknown): void {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  const steps = field.split('.');
  const last = steps.pop() ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  const parent = steps.reduce((at: any, step) => at[step], json);
  parent[last] = value;
  writeFileSync(path, JSON.stringify(json));
}

describe('a key file', () => {
  it('gives back the key and what it signed, to its owner with the password', async () => {
    await writeKeyFile(path, { ...key, signed }, 'secret', systemRandom);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['validator.key']);
    const opened = await openKeyFile(path, 'secret');
    expect(toHex(opened.secretKey)).toBe(toHex(key.secretKey));
    expect(opened).toMatchObject({ signed, address: key.address });
    expect(readFileSync(path, 'utf8')).not.toContain(toHex(key.secretKey).slice(2, 80));
    expect(await readKeyFile(path)).toMatchObject({ signed, address: key.address });
    const message = new Uint8Array(32).fill(9);
    const signature = validatorSigner(opened, systemRandom).sign(message);
    expect(falconVerify(key.publicKey, message, signature)).toBe(true);
  });

  it('is refused with another password, and an empty one is never set', async () => {
    await writeKeyFile(path, key, 'secret', systemRandom);
    await expect(openKeyFile(path, 'Secret')).rejects.toMatchObject({ code: 'keys.password' });
    await expect(openKeyFile(path, '')).rejects.toMatchObject({ code: 'keys.password' });
    const empty = writeKeyFile(`${path}2`, key, '', systemRandom);
    await expect(empty).rejects.toMatchObject({ code: 'keys.empty-password' });
  });

  it('is never written over unless that is meant', async () => {
    await writeKeyFile(path, key, 'secret', systemRandom);
    const again = writeKeyFile(path, other, 'secret', systemRandom);
    await expect(again).rejects.toMatchObject({ code: 'keys.exists' });
    expect((await openKeyFile(path, 'secret')).address).toEqual(key.address);
    await writeKeyFile(path, other, 'next', systemRandom, { replaces: true });
    expect((await openKeyFile(path, 'next')).address).toEqual(other.address);
    expect(readdirSync(join(path, '..'))).toEqual(['validator.key']);
  });

  it('that others can read is refused', async () => {
    await writeKeyFile(path, key, 'secret', systemRandom);
    chmodSync(path, 0o640);
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'keys.mode' });
  });

  it('does not open without what was signed, or with another mark', async () => {
    await writeKeyFile(path, { ...key, signed }, 'secret', systemRandom);
    change('signed.round', 1);
    await expect(openKeyFile(path, 'secret')).rejects.toMatchObject({ code: 'keys.password' });
    change('signed', undefined);
    await expect(openKeyFile(path, 'secret')).rejects.toMatchObject({ code: 'keys.password' });
  });

  it.each([
    ['version', 2],
    ['kind', 'keystore'],
    ['pubkey', '0x00'],
    ['pubkey', toHex(other.publicKey)],
    ['address', toHex(other.address)],
    ['ciphertext', '0x12'],
    ['salt', 7],
    ['nonce', null],
    ['kdf', []],
    ['kdf.name', 'scrypt'],
    ['kdf.memory_kb', 2 ** 31],
    ['kdf.iterations', 10_000],
    ['kdf.parallelism', 0],
    ['signed.round', -1],
    ['signed.attested_wave', '99999999999999999999'],
    ['signed.attested_digest', '0x'],
  ])('with a wrong %s is damaged, and the field is named: %s', async (field, value) => {
    await writeKeyFile(path, { ...key, signed }, 'secret', systemRandom);
    change(field, value);
    const refusal = openKeyFile(path, 'secret');
    await expect(refusal).rejects.toMatchObject({ code: 'keys.damaged' });
    const named = field === 'pubkey' && `${value}`.length > 9 ? 'address' : field;
    await expect(refusal).rejects.toThrow(new RegExp(`file: ${named.replace('kdf.', 'kdf\\.')}`));
  });

  it.each(['', '{', '[]', 'null', `{"version":1${' '.repeat(70_000)}}`])(
    'is no %j',
    async (text) => {
      await writeKeyFile(path, key, 'secret', systemRandom);
      writeFileSync(path, text);
      await expect(readKeyFile(path)).rejects.toMatchObject({ name: 'PydeError' });
    },
  );
});

describe('a key file of any content', () => {
  it('is read or refused with a sentence', async () => {
    await writeKeyFile(path, { ...key, signed }, 'secret', systemRandom);
    const text = readFileSync(path, 'utf8');
    const bent = fc
      .tuple(fc.nat(text.length), fc.nat(9), fc.string({ maxLength: 9 }))
      .map(([at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bent, fc.json(), fc.string()), async (any) => {
        writeFileSync(path, any);
        const outcome = await readKeyFile(path).catch((error: unknown) => error);
        expect(outcome instanceof Error ? isPydeError(outcome) : true).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
