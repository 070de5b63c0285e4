/** The lengths of a key in bytes that Consul accepts; `svcd keygen` generates the longest. */
const keyBytes: readonly number[] = [16, 24, 32]
/** To replace a key, two are needed. */
const keysMax = 4

/** For `-encrypt`. The keys are secret: the reason does not contain them. */
export function checkEncryptKeys(keys: readonly string[]): string | undefined {
  if (keys.length === 0) return 'the key is missing; `svcd keygen` prints a new key'
  if (keys.length > keysMax) return `there are ${keys.length} keys; the limit is ${keysMax}`
  for (const [at, key] of keys.entries()) {
    const which = keys.length === 1 ? 'the key' : `key ${at + 1}`
    const bytes = Buffer.from(key, 'base64')
    if (bytes.toString('base64') !== key)
      return `${which} is not valid base64; \`svcd keygen\` prints a new key`
    if (!keyBytes.includes(bytes.length)) {
      return `${which} has ${bytes.length} bytes, not ${keyBytes.join(', ').replace(/, (\d+)$/, ' or $1')}; \`svcd keygen\` prints a new key`
    }
  }
  return undefined
}
