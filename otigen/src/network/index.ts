export { DEVNET, type Manifest, type Network, readManifest, readManifestText } from './manifest.ts';
export {
  badAnswer,
  chainIdOf,
  parseChainId,
  quantityOf,
  readingTarget,
  type SigningTarget,
  signingTarget,
  type Target,
  type TargetOptions,
  targetOptions,
} from './target.ts';
