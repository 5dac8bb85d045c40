/** Builds the page once and serves it on a free port until the tests are done. */
import { join } from 'node:path';
import { build, preview } from 'vite';

export default async function servePage(): Promise<() => Promise<void>> {
  const common = { root: join(import.meta.dirname, '..', 'page'), configFile: false } as const;
  const outDir = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'pyde-page');
  await build({
    ...common,
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true, target: 'es2024', assetsInlineLimit: 0, minify: false },
    worker: { format: 'es' },
  });
  const server = await preview({
    ...common,
    logLevel: 'warn',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
  });
  const [address] = server.resolvedUrls?.local ?? [];
  if (address === undefined) throw new Error('the page is not served');
  process.env['PYDE_PAGE'] = address;
  return () => server.close();
}
