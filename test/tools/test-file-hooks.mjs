// The hook of test-file.mjs: on Node 20 it runs in a thread of its own.

const ofRunner = /\/@tapjs\/(?:typescript|mock|processinfo)\/dist\/esm\/import\.mjs$/

export function resolve(specifier, context, nextResolve) {
  if (!ofRunner.test(specifier)) return nextResolve(specifier, context)
  return { url: 'data:text/javascript,', format: 'module', shortCircuit: true }
}
