// Keys are texts. Their slashes make folders only for people: the API knows prefixes.

export const separator = '/'

/** The folder of a key, with its slash at the end; '' for the top. That of `a/` is `a/` itself, whose list has it. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf(separator) + 1)
}

/** The folder that a folder is in. */
export function parentOf(folder: string): string {
  return folderOf(folder.slice(0, -1))
}

export interface Crumb {
  readonly title: string
  /** The whole prefix. */
  readonly folder: string
}

/** The folders from the top down to this one. */
export function crumbsOf(folder: string): readonly Crumb[] {
  const crumbs: Crumb[] = []
  let from = 0
  for (let at = folder.indexOf(separator); at >= 0; at = folder.indexOf(separator, from)) {
    crumbs.push({ title: folder.slice(from, at + 1), folder: folder.slice(0, at + 1) })
    from = at + 1
  }
  return crumbs
}

export interface ListedKey {
  /** The whole key, or the whole prefix of a folder. */
  readonly key: string
  /** Without the folder that it is in. */
  readonly name: string
  readonly isFolder: boolean
}

/** The rows of a folder, from the answer of `kv/<folder>?keys&separator=/`: folders first. */
export function listedKeys(folder: string, keys: readonly string[]): readonly ListedKey[] {
  const rows = keys.map((key) => {
    // A key can have the name of the folder itself, such as `config/`.
    const isFolder = key !== folder && key.endsWith(separator)
    const name = key === folder ? key : key.slice(folder.length)
    return { key, name, isFolder }
  })
  return [...rows.filter(({ isFolder }) => isFolder), ...rows.filter(({ isFolder }) => !isFolder)]
}

/** The keys that contain all words of a text, in any case. */
export function keysWith(text: string, keys: readonly string[], prefix: string): readonly string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return keys.filter((key) => {
    const rest = key.slice(prefix.length).toLowerCase()
    return words.every((word) => rest.includes(word))
  })
}
