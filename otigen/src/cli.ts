/**
 * What a command is given besides its own arguments: the output, and the paths and network that the
 * global flags, otigen.toml and the environment name together (OTIGEN_BINARY_SPEC §3, §4.8).
 */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Manifest } from './network/index.ts';
import { invalidArgs, type Output, type OutputOptions } from './output/index.ts';

export interface GlobalOptions extends OutputOptions {
  readonly network: string | undefined;
  readonly keystore: string | undefined;
  readonly config: string | undefined;
}

export class Cli {
  readonly output: Output;
  readonly options: GlobalOptions;
  /** `OTIGEN_HOME`, else the user's home folder; `.pyde` lies in it. */
  readonly home: string;
  /** What the process ends with when the command throws nothing. */
  exitCode = 0;
  #manifest: Manifest | undefined;

  constructor(options: GlobalOptions, output: Output) {
    this.options = options;
    this.output = output;
    this.home = process.env['OTIGEN_HOME'] || homedir();
  }

  /** otigen.toml; the built-in devnet where there is none and none was asked for. */
  async manifest(): Promise<Manifest> {
    if (this.#manifest === undefined) {
      const { readManifest } = await import('./network/index.ts');
      this.#manifest = await readManifest(this.options.config);
    }
    return this.#manifest;
  }

  /** `--keystore`, `[wallet] default_keystore`, `~/.pyde/keystore.json`; the first there is. */
  async keystorePath(): Promise<string> {
    if (this.options.keystore !== undefined) return this.#expand(this.options.keystore, '.');
    const manifest = await this.manifest();
    if (manifest.defaultKeystore === undefined) return this.pydePath('keystore.json');
    return this.#expand(manifest.defaultKeystore, dirname(manifest.path ?? '.'));
  }

  /** A path inside `~/.pyde`. */
  pydePath(...parts: readonly string[]): string {
    return join(this.home, '.pyde', ...parts);
  }

  /** The account to act for: the one named, else `[wallet] default_account`. */
  async account(named: string | undefined): Promise<string> {
    const name = named ?? (await this.manifest()).defaultAccount;
    if (name !== undefined) return name;
    throw invalidArgs(
      'no account was named',
      'pass --from <NAME>, or set default_account in [wallet] of otigen.toml',
    );
  }

  /** Whether questions can be asked: a person at a terminal who did not ask for JSON. */
  get isInteractive(): boolean {
    return process.stdin.isTTY === true && process.stderr.isTTY === true && !this.options.json;
  }

  #expand(path: string, folder: string): string {
    if (path === '~' || path.startsWith('~/')) return join(this.home, path.slice(1));
    return resolve(folder, path);
  }
}
