import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { FalconSigner } from '@pyde/core/crypto';
import {
  decodeGenesis,
  encodeGenesis,
  genesisHash,
  toAddress,
  toFalconPublicKey,
  toQuanta,
} from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testKey } from '../../../../core/src/crypto/testing.ts';
import { buildGenesis, readContribution, writeContribution } from './index.ts';

const SIZE = 128;
const NETWORK = 'pyde-test';
const folder = mkdtempSync(join(tmpdir(), 'pyde-genesis-'));
const contributions = join(folder, 'contributions');
const toml = join(folder, 'genesis.toml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHAIN = `[chain]\nname = "${NETWORK}"\nid = 7\nstart = 2026-01-01T12:00:00Z\n`;
const OPERATOR = toAddress(testKey(0).address);

function contributionOf(i: number, network = NETWORK): string {
  const { secretKey, publicKey } = testKey(i);
  const signer = new FalconSigner(secretKey, (length) => systemRandom.bytes(length));
  return writeContribution(
    {
      ...{ network, publicKey: toFalconPublicKey(publicKey), operator: OPERATOR },
      stake: toQuanta(1_000n + BigInt(i)),
      addresses: [`/ip4/203.0.113.${i}/tcp/10933`],
    },
    (digest) => signer.sign(digest),
  );
}

beforeAll(() => {
  mkdirSync(contributions);
  for (let i = 0; i < SIZE; i++)
    writeFileSync(join(contributions, `v${i}.json`), contributionOf(i));
  writeFileSync(
    toml,
    `${CHAIN}
[parameters]
epoch_duration_ms = 60_000
[[allocations]]
address = "${toHex(testKey(200).address)}"
balance = "100_000_000_000_000_000_000_000"
[[allocations]]
public_key = "${toHex(testKey(201).publicKey)}"
balance = 5
[[names]]
label = "shop"
address = "${toHex(testKey(200).address)}"
`,
  );
}, 120_000);

describe('a genesis of 128 contributions', () => {
  it('holds every validator once, by address, and is the same in whatever order they lie', async () => {
    const { genesis, seeds } = await buildGenesis(toml, contributions);
    const addresses = genesis.validators.map(({ address }) => toHex(address));
    expect(addresses).toEqual(
      Array.from({ length: SIZE }, (_, i) => toHex(testKey(i).address)).sort(),
    );
    expect(seeds).toHaveLength(SIZE);
    expect(genesis).toMatchObject({ chainId: 7n, timestampMs: 1_767_268_800_000n });
    expect(genesis.parameters).toMatchObject({ epochDurationMs: 60_000, gcRounds: 500 });
    expect(genesis.allocations.map(({ balance }) => balance)).toEqual([10n ** 23n, 5n]);
    expect(decodeGenesis(encodeGenesis(genesis))).toEqual(genesis);
    const renamed = join(folder, 'renamed');
    cpSync(contributions, renamed, { recursive: true });
    for (let i = 0; i < SIZE; i++) {
      cpSync(join(contributions, `v${i}.json`), join(renamed, `v${(i * 37 + 5) % SIZE}.json`));
    }
    const again = await buildGenesis(toml, renamed);
    expect(toHex(genesisHash(again.genesis))).toBe(toHex(genesisHash(genesis)));
  });

  it('takes no 129th, and none twice', async () => {
    const more = join(folder, 'more');
    cpSync(contributions, more, { recursive: true });
    writeFileSync(join(more, 'extra.json'), contributionOf(SIZE));
    await expect(buildGenesis(toml, more)).rejects.toThrow(/129 validators; .* 1 to 128/);
    writeFileSync(join(more, 'extra.json'), contributionOf(3));
    const twice = buildGenesis(toml, more);
    await expect(twice).rejects.toMatchObject({ code: 'genesis.contribution-twice' });
    await expect(twice).rejects.toThrow(/(extra|v3)\.json and .*(extra|v3)\.json/);
  });
});

describe('a contribution', () => {
  const text = () => contributionOf(1);

  it('is refused after any change, and for another network', () => {
    expect(readContribution(text(), 'me.json', NETWORK)).toMatchObject({ stake: 1_001n });
    const json = JSON.parse(text());
    const changes: Record<string, unknown> = {
      stake: '9999',
      operator: toHex(testKey(5).address),
      public_key: toHex(testKey(5).publicKey),
      addresses: ['/ip4/198.51.100.1/tcp/1'],
      signature: JSON.parse(contributionOf(2)).signature,
    };
    for (const [field, value] of Object.entries(changes)) {
      const changed = JSON.stringify({ ...json, [field]: value });
      expect(() => readContribution(changed, 'me.json', NETWORK), field).toThrow(
        /me\.json: the signature is not that of its key/,
      );
    }
    expect(() => readContribution(text(), 'me.json', 'pyde-main')).toThrow(
      /for the network "pyde-test"/,
    );
  });

  it.each([
    ['', 'not JSON'],
    ['[]', 'version'],
    ['{"version":2}', 'version'],
    [`{"version":1,"kind":"${'x'.repeat(99)}"}`, 'kind'],
  ])('of another shape is refused: %s', (wrong, what) => {
    expect(() => readContribution(wrong, 'me.json', NETWORK)).toThrow(
      new RegExp(`^me\\.json: .*${what}`),
    );
  });

  it('of a stake that the network does not take is refused', async () => {
    const bounded = join(folder, 'bounded.toml');
    writeFileSync(bounded, `${CHAIN}[contributions]\nmax_stake = 1_100\n`);
    await expect(buildGenesis(bounded, contributions)).rejects.toMatchObject({
      code: 'genesis.stake',
    });
  });
});

describe('genesis.toml', () => {
  const build = (text: string) => {
    const path = join(folder, 'other.toml');
    writeFileSync(path, text);
    return buildGenesis(path, undefined).catch((error: Error) => {
      throw new Error(error.message.replaceAll(path, ''), { cause: error });
    });
  };
  const validator = `[[validators]]\npublic_key = "${toHex(testKey(9).publicKey)}"\noperator = "${toHex(OPERATOR)}"\nstake = 5\n`;

  it('may name the validators itself', async () => {
    const { genesis, seeds } = await build(
      `${CHAIN}${validator}addresses = ["/ip4/1.2.3.4/tcp/5"]\n`,
    );
    expect(genesis.validators).toHaveLength(1);
    expect(seeds).toEqual(['/ip4/1.2.3.4/tcp/5']);
    expect(readFileSync(toml, 'utf8')).toContain('name = "pyde-test"');
  });

  it.each([
    ['no validator', CHAIN, /there are 0 validators/],
    ['a key twice', `${CHAIN}${validator}${validator}`, /of the same key/],
    [
      'a start in quotes',
      CHAIN.replace(/start.*/, 'start = "2026"'),
      /^:4: chain\.start: it must be a time/,
    ],
    ['a chain id of 0', CHAIN.replace('id = 7', 'id = 0'), /^:3: chain\.id: it must not be 0/],
    [
      'an amount with a fraction',
      `${CHAIN}${validator.replace('= 5', '= 5.5')}`,
      /^:8: validators\.0\.stake: /,
    ],
    [
      'an account without address',
      `${CHAIN}${validator}[[allocations]]\nbalance = 1\n`,
      /^:9: allocations\.0: it needs an address/,
    ],
    [
      'parameters that no chain has',
      `${CHAIN}${validator}[parameters]\ngc_rounds = 2\n`,
      /gc_rounds must be at least 10/,
    ],
    [
      'a mistyped parameter',
      `${CHAIN}[parameters]\ngc_round = 2\n`,
      /^:6: parameters\.gc_round: .*did you mean gc_rounds/,
    ],
    [
      'a bad name',
      `${CHAIN}${validator}[[names]]\nlabel = "Shop"\naddress = "${toHex(OPERATOR)}"\n`,
      /a name is 1 to 32/,
    ],
  ])('is refused with %s', async (_, text, message) => {
    await expect(build(text)).rejects.toThrow(message);
  });
});
