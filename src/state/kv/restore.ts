import type { KvCommand } from './commands.ts'
import type { KvEntry, KvReader } from './reader.ts'

/**
 * The commands that turn the present store into the archived one. Both are walked through in the order
 * of their keys; equal entries cost no command. A lock is left as it is.
 */
export function* restoreKv(
  archived: KvReader,
  present: KvReader,
): Generator<readonly KvCommand[] | undefined> {
  for (const entry of archived.entries('')) {
    const now = present.entry(entry.key)
    yield now !== undefined && isSame(now, entry) ? undefined : [putOf(entry)]
  }
  for (const key of present.keys('')) {
    yield archived.has(key) ? undefined : [{ kind: 'kv-delete', key }]
  }
}

function isSame(one: KvEntry, other: KvEntry): boolean {
  return one.flags === other.flags && Buffer.compare(one.value, other.value) === 0
}

function putOf({ key, value, flags }: KvEntry): KvCommand {
  return { kind: 'kv-put', key, value: Buffer.from(value).toString('base64'), flags }
}
