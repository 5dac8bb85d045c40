export { INTERNAL, STATUS } from './internal.ts';
export type { MemoryBounds } from './memory.ts';
export { type RewrittenModule, rewriteModule } from './rewrite-module.ts';
