/** Whether a name can be one label of a DNS name (RFC 1035 §2.3.4). Control characters would not be asked for as such. */
export function isUsableLabel(name: string): boolean {
  const bytes = Buffer.byteLength(name)
  return bytes >= 1 && bytes <= 63 && !/[.\\\p{Cc}]/u.test(name)
}
