/** Flags of node for a child process that runs a source file, as the tests themselves are run. */
export const typescriptFlags: readonly string[] = [
  `--import=${new URL('../tools/typescript.mjs', import.meta.url).href}`,
]
