import { pathTo, withParameters } from '../../core/route.ts'
import { parameters } from '../../data/location.ts'

// The paths of the pages of keys. `find` and `below` keep a search while its results are opened.

export function folderHref(folder: string): string {
  return folder === '' ? pathTo('kv') : pathTo('kv', 'folder', folder)
}

export function keyHref(key: string): string {
  return pathTo('kv', 'key', key)
}

export function newKeyHref(folder: string): string {
  return withParameters(pathTo('kv', 'new'), { below: folder })
}

/** A result of the search on this page. */
export function foundHref(key: string, folder: string): string {
  const find = parameters.value.get('find') ?? ''
  return withParameters(keyHref(key), { find, below: folder })
}
