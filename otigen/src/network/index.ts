export { type Manifest, type Network, readManifest } from './manifest.ts';
export {
  badAnswer,
  quantityOf,
  readingTarget,
  type SigningTarget,
  signingTarget,
  type Target,
  type TargetOptions,
  targetOptions,
} from './target.ts';
