export function findChromium(): string | undefined;
export function ensureChromium(node: string, note: (message: string) => void): string | undefined;
