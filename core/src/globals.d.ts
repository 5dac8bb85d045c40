/**
 * What core takes from its host besides ECMAScript: text encoding and WebAssembly
 * (webassembly.d.ts), which Node and browsers share. Neither @types/node nor the DOM library is
 * visible to core, so that a platform name cannot slip in.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: true; ignoreBOM: true });
  decode(bytes: Uint8Array): string;
}
