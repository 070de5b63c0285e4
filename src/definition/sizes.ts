import { svcdError } from '../base/errors.ts'

// How large what is stored may be. Names, IDs, metadata, values of keys and the whole of a command have limits of
// their own. A restore of a snapshot takes what is there.

export const tagBytesMax = 4096
export const tagsMax = 1024
export const taggedAddressesMax = 64
/** Of one registration, and of one session. */
export const checksMax = 1024
export const keyBytesMax = 16_384
export const sessionNameBytesMax = 1024
/** Of the service ID, type, interval and timeout of a check. */
export const checkTextBytesMax = 512
/** Of the definition of a check, as JSON. */
export const definitionBytesMax = 65_536
/** Of the fields of a service for the mesh, which are only stored, as JSON: Kind, Proxy, Connect, Locality, SocketPath. */
export const extraBytesMax = 65_536
/** Of the description of a token, policy or role. */
export const descriptionBytesMax = 4096
/** Policies, roles and identities of a token or role, each. */
export const linksMax = 1024
/** Datacenters of a policy or identity. */
export const datacentersMax = 64
export const datacenterBytesMax = 255
/** All texts of a definition together, as JSON. */
export const queryBytesMax = 65_536

/** Throws `field-too-large`. */
export function checkBytes(field: string, text: string, max: number): void {
  // A character has at most three bytes for each of its code units.
  if (text.length * 3 <= max) return
  const size = Buffer.byteLength(text)
  if (size > max) throw svcdError('field-too-large', { field, size, unit: 'bytes', max })
}

/** The datacenters in which a policy or an identity counts. Throws `field-too-large`. */
export function checkedDatacenters(names: readonly string[]): readonly string[] {
  checkCount('Datacenters', names.length, datacentersMax)
  for (const [at, name] of names.entries()) {
    checkBytes(`Datacenters[${at}]`, name, datacenterBytesMax)
  }
  return names
}

/** The description of a token, policy or role. Throws `field-too-large`. */
export function checkedDescription(text = ''): string {
  checkBytes('Description', text, descriptionBytesMax)
  return text
}

/** Throws `field-too-large`. */
export function checkCount(field: string, count: number, max: number): void {
  if (count > max) throw svcdError('field-too-large', { field, size: count, unit: 'elements', max })
}
