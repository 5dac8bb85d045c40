/**
 * Builds the WebAssembly kernels of core/src/crypto.
 *
 *   core/kernels/<name>.ts             AssemblyScript, written by hand; one entry a kernel (KERNELS)
 *   core/kernels/<name>.mjs            a program that writes <name>.generated.ts beside itself:
 *   core/kernels/<name>.generated.ts   tables and unrolled code (not committed)
 *   core/src/crypto/kernels/<name>.generated.ts   the module as base64 (not committed)
 *
 * A kernel is rebuilt when anything it is made from is newer than its module: its sources and
 * generators, found by following their relative imports, this file, and the compiler. Modules are
 * renamed into place, so nobody loads half of one. Run it with Node 24:
 *
 *   node core/kernels/build.mjs
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Each is an entry file beside this one. */
const KERNELS = ['blake3', 'poseidon2', 'falcon-verify', 'falcon-sign'];

const COMPILERS_AT_ONCE = 2;
const COMPILER_OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
/** Vectors pass between inlined functions only, never to or from JavaScript. */
const NO_WARNING = ['--disableWarning', '112'];

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../..');
const BUILD = join(HERE, 'build');
const OUTPUT = resolve(HERE, '../src/crypto/kernels');
const COMPILER = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
const COMPILER_VERSION = join(ROOT, 'node_modules/assemblyscript/package.json');

async function buildStale() {
  const stale = KERNELS.map(inspect).filter((kernel) => kernel !== undefined);
  if (stale.length === 0) return;
  if (!existsSync(COMPILER)) {
    throw new Error(`the AssemblyScript compiler is not installed; run npm ci in ${ROOT} first`);
  }
  const started = performance.now();
  const names = stale.map((kernel) => kernel.name).join(', ');
  process.stderr.write(`building kernels… ${names}\n`);
  mkdirSync(BUILD, { recursive: true });
  mkdirSync(OUTPUT, { recursive: true });

  for (const generator of new Set(stale.flatMap((kernel) => kernel.generators))) {
    if (isGenerated(generator)) continue;
    if ((await run(process.execPath, [generator])) !== 0) throw new Error(`${generator} failed`);
  }
  const queue = [...stale];
  const worker = async () => {
    for (let kernel = queue.shift(); kernel !== undefined; kernel = queue.shift()) {
      await compile(kernel);
    }
  };
  await Promise.all(Array.from({ length: COMPILERS_AT_ONCE }, worker));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`building kernels… done in ${seconds} s\n`);
}

/** The kernel with its generators when it must be built, undefined when it stands. */
function inspect(name) {
  const entry = join(HERE, `${name}.ts`);
  if (!existsSync(entry)) throw new Error(`${entry} is missing`);
  const output = join(OUTPUT, `${name}.generated.ts`);
  const inputs = inputsOf(entry);
  const built = modifiedAt(output);
  const newest = [...inputs, fileURLToPath(import.meta.url), COMPILER_VERSION].some(
    (input) => modifiedAt(input) > built,
  );
  if (!newest) return undefined;
  return { name, entry, output, generators: inputs.filter((input) => input.endsWith('.mjs')) };
}

/** Every file that `entry` is made from: itself, and what its relative imports lead to. */
function inputsOf(entry) {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    if (file.endsWith('.json')) return;
    const imports = readFileSync(file, 'utf8').matchAll(/\bfrom\s+['"](\.{1,2}\/[^'"]+)['"]/g);
    for (const [, specifier] of imports) {
      visit(locate(file, specifier));
    }
  };
  visit(entry);
  return [...found];
}

/** True when what the generator writes is newer than it and all it reads. */
function isGenerated(generator) {
  const written = modifiedAt(generator.replace(/\.mjs$/, '.generated.ts'));
  return inputsOf(generator).every((input) => modifiedAt(input) <= written);
}

/** AssemblyScript imports carry no extension; what a generator writes stands for its generator. */
function locate(importer, specifier) {
  const path = resolve(dirname(importer), specifier);
  const generator = path.match(/^(.*)\.generated$/)?.[1];
  const file = generator === undefined ? withExtension(path) : `${generator}.mjs`;
  if (!existsSync(file)) throw new Error(`${importer} imports ${specifier}, which is missing`);
  return file;
}

function withExtension(path) {
  return /\.(mjs|json)$/.test(path) ? path : `${path}.ts`;
}

function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function compile({ name, entry, output }) {
  const wasm = join(BUILD, `${name}.${process.pid}.wasm`);
  const code = await run(process.execPath, [
    COMPILER,
    entry,
    '-o',
    wasm,
    ...COMPILER_OPTIONS,
    ...NO_WARNING,
  ]);
  if (code !== 0) throw new Error(`kernel ${name} does not compile; see the messages above`);
  const bytes = readFileSync(wasm);
  rmSync(wasm);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  if (imports.length > 0) {
    throw new Error(`kernel ${name} imports ${imports.map((i) => `${i.module}.${i.name}`)}`);
  }
  replaceFile(
    output,
    `// Built from core/kernels/${name}.ts by core/kernels/build.mjs; not committed.\n` +
      `export const wasmBase64 =\n  '${bytes.toString('base64')}';\n`,
  );
  process.stderr.write(`building kernels… ${name}: ${bytes.length} bytes\n`);
}

/** Runs a program with its messages on our standard error; resolves to its exit code. */
function run(program, args) {
  return new Promise((fulfil, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('close', (code) => fulfil(code ?? 1));
  });
}

function replaceFile(file, text) {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, file);
}

try {
  await buildStale();
} catch (error) {
  process.stderr.write(`kernels: ${error.message}\n`);
  process.exitCode = 1;
}
