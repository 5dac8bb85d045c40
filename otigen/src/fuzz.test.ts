/** Files and answers that otigen reads, against docs/protocol/fuzzing.md. */
import { PydeError, toHex } from '@pyde/core/bytes';
import { genesisCommittee, genesisHead } from '@pyde/core/finality';
import { RpcClient } from '@pyde/platform-node/client';
import { describe, expect, it } from 'vitest';
import { budgetOf, bytesTarget, type FuzzTarget } from '../../core/src/bytes/testing/fuzz.ts';
import { mutateJson } from '../../core/src/bytes/testing/json-mutation.ts';
import { TestNode, transfer } from '../../core/src/rpc/testing.ts';
import { addressOf } from '../../core/src/tx/testing.ts';
import { readEntry } from './keystore/entry.ts';
import { devnetEntries } from './keystore/index.ts';
import { readManifestText } from './network/manifest.ts';
import { verifiedAccount } from './trust/index.ts';

const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const noFields = (): undefined => undefined;
/** Hex, JSON and TOML are texts, some times as long as what they say. */
const texts = (length: number) => ({
  largest: (1 << 20) + 8 * length,
  total: (16 << 20) + 128 * length,
});

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    throw new PydeError('fuzz.no-json', 'the case is no JSON');
  }
}

const entries = devnetEntries().slice(0, 2);
const keystoreEntry = bytesTarget({
  name: 'keystore entry',
  seeds: entries.map((entry) =>
    utf8.encode(JSON.stringify({ cipher: 'chacha20-poly1305', ...entry, note: 'kept' })),
  ),
  layout: noFields,
  decode: (bytes) => readEntry('alice', parsed(bytes)),
  craft: mutateJson,
  bound: texts,
  share: 0.5,
});

const MANIFEST = `
[network.default]
name = "test"

[network.test]
rpc_url = "http://127.0.0.1:9933"
chain_id = 31337

[wallet]
default_keystore = "/tmp/keystore.json"
default_account = "alice"
`;
const manifest = bytesTarget({
  name: 'otigen.toml',
  seeds: [utf8.encode(MANIFEST), utf8.encode('')],
  layout: noFields,
  decode: (bytes) => readManifestText(textOf(bytes), 'otigen.toml'),
  craft: (random, seed) => {
    const lines = textOf(seed).split('\n');
    const [at, other] = [random.below(lines.length), random.below(lines.length)];
    const value = random.pick([
      '= 0',
      '= -1',
      '= 1e9',
      '= ""',
      '= [1',
      '= {',
      '= 99999999999999999999',
    ]);
    const line = lines[at] ?? '';
    const changed = [
      line.replace(/=.*/, value),
      `${line}${line}`,
      lines[other] ?? '',
      '[network]',
      '"__proto__" = 1',
      '[network.__proto__]',
    ];
    return utf8.encode(lines.with(at, random.pick(changed)).join('\n'));
  },
  bound: texts,
});

const node = await TestNode.start();
await node.send(0, transfer());
await node.wave();
const client0 = new RpcClient('http://127.0.0.1:1');
const address = addressOf(1);
const trust = {
  committee: genesisCommittee(node.genesis),
  head: genesisHead(node.genesis),
  genesisHash: undefined,
  source: 'the test',
};
const key = `0x00${toHex(address).slice(2)}${'00'.repeat(32)}`;
const honest = {
  head: await node.call('pyde_waveId'),
  cert: await node.call('pyde_getHardFinalityCert', 1),
  proof: await node.call('pyde_getProof', { keys: [key], wave: 1 }),
};

/** A node that answers with what a case says. */
class AnsweringClient extends RpcClient {
  readonly #answers: Partial<typeof honest>;

  constructor(answers: Partial<typeof honest>) {
    super(client0.url);
    this.#answers = answers;
  }

  /** Whatever the record says of its epoch, there is no way on. */
  override async batch(): Promise<unknown[]> {
    throw new PydeError('rpc.response', 'the case has no other waves');
  }

  override async call(method: string): Promise<unknown> {
    const { head, cert, proof } = this.#answers;
    if (method === 'pyde_waveId') return head;
    if (method === 'pyde_getProof') return proof;
    // A node without a certificate is asked again for seconds.
    if (cert === null) throw new PydeError('rpc.response', 'the case has no certificate');
    return cert;
  }
}

const verified = async (answers: Partial<typeof honest>) =>
  verifiedAccount(new AnsweringClient(answers), address, {
    trust,
    oldestMs: 0n,
    onProgress: () => {},
    remember: async () => {},
  });
const truth = await verified(honest);

const verification = bytesTarget({
  name: 'verified account',
  seeds: [utf8.encode(JSON.stringify(honest))],
  layout: noFields,
  decode: async (bytes) => {
    const answers = parsed(bytes);
    if (typeof answers !== 'object' || answers === null)
      throw new PydeError('fuzz.no-json', 'none');
    // A head far away has no certificate near it.
    return { bytes, found: await verified({ ...answers, head: honest.head }) };
  },
  // Whatever a node says, what is believed is the truth.
  encode: ({ bytes, found }) =>
    found.account.balance === truth.account.balance && found.exists === truth.exists
      ? bytes
      : new Uint8Array(0),
  craft: mutateJson,
  bound: texts,
  share: 0.5,
});

const targets: readonly FuzzTarget[] = [keystoreEntry, manifest, verification];

describe('every reader of otigen keeps its rules on hostile input', () => {
  it.each(targets)(
    '$name',
    async (target) => {
      const { cases, refusals } = await target.run(budgetOf(target, process.env));
      expect(cases).toBeGreaterThan(0);
      expect(refusals.size).toBeGreaterThan(0);
    },
    0,
  );
});
