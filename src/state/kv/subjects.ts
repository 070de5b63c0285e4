/**
 * Only the prefixes up to this many slashes are subjects of their own, so that one key with very many
 * slashes does not cost the writer a subject each. A watch further below waits on the last of them.
 */
const depthMax = 32

/** What readers of the store may wait for or cache by: keys, and prefixes that end in a slash, or ''. */
export const kvSubject = {
  key: (key: string): string => `key:${key}`,
  /** Of the longest such prefix that `prefix` begins with: it moves whenever a key below `prefix` does. */
  tree: (prefix: string): string => {
    let end = 0
    for (let depth = 0; depth < depthMax; depth++) {
      const slash = prefix.indexOf('/', end)
      if (slash < 0) break
      end = slash + 1
    }
    return treeSubject(prefix.slice(0, end))
  },
} as const

/** All subjects that a change of a key moves. */
export function* subjectsOf(key: string): Generator<string, void> {
  yield kvSubject.key(key)
  yield treeSubject('')
  let end = 0
  for (let depth = 0; depth < depthMax; depth++) {
    const slash = key.indexOf('/', end)
    if (slash < 0) return
    end = slash + 1
    yield treeSubject(key.slice(0, end))
  }
}

function treeSubject(prefix: string): string {
  return `tree:${prefix}`
}
