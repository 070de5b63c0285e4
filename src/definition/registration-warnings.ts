import { isLoopbackIp, parseIp } from '../base/ip.ts'
import { bindingMetaKeys, bindingMetaPrefix } from '../base/service-binding-meta.ts'
import type { ServiceDefinition } from '../state/catalog/model.ts'

// Registrations that are accepted, although they are probably a mistake. No text contains a
// semicolon, which separates them in the header.

/** One label of a host name (RFC 1123 §2.1). Many clients look up nothing else. */
const hostLabel = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/
/** Such labels, each short enough for DNS. Most names match, and need no further look. */
const hostName =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/
/** Tags that a client may query by. Tags with other characters, such as Traefik's and Fabio's, are configuration. */
const askable = /^[\w.-]*$/
const none: readonly string[] = []
/** Octets of a label (RFC 1035 §2.3.4). */
const labelBytesMax = 63
const tagsNamed = 3
const shownMax = 64

/** The unusual properties of a service, as sentences; a new list for each caller. */
export function serviceWarnings(service: ServiceDefinition): string[] {
  return [
    ...nameWarnings(service.name),
    ...tagWarnings(service.tags),
    ...addressWarnings(service),
    ...portWarnings(service),
    ...metaWarnings(service),
  ]
}

/** Warnings that need what the agent knows. `present`: the name of the service that has this ID so far. */
export function placeWarnings(
  { id, name, address }: ServiceDefinition,
  present: string | undefined,
  nodeAddress: string,
): readonly string[] {
  const isRenamed = present !== undefined && present !== name
  const isMisleading = isOnlyHere(address) && !isOnlyHere(nodeAddress)
  if (!isRenamed && !isMisleading) return none
  return [
    ...(isRenamed
      ? [
          `The ID ${show(id)} belonged to the service ${show(present)}. The service ${show(name)} has replaced it. To keep both, register each with its own ID (--id, or "id" in a file).`,
        ]
      : []),
    ...(isMisleading
      ? [
          `With the address ${address}, each client connects to its own machine. Use an address that other machines can reach.`,
        ]
      : []),
  ]
}

function isOnlyHere(address: string): boolean {
  // Nearly all addresses are ruled out by their first characters.
  if (!address.startsWith('127.') && !address.includes(':')) return false
  const ip = parseIp(address)
  return ip !== undefined && isLoopbackIp(ip)
}

function nameWarnings(name: string): readonly string[] {
  if (hostName.test(name) && !name.includes('.')) return none
  const bytes = Buffer.byteLength(name)
  if (name.includes('.')) {
    return [
      `The service name ${show(name)} has a dot, so DNS cannot find it: DNS reads the part before the dot as a tag. Use hyphens instead.`,
    ]
  }
  if (bytes > labelBytesMax) {
    return [
      `The service name has ${bytes} bytes, so DNS cannot find it: a DNS label has at most ${labelBytesMax} bytes. Use a shorter name.`,
    ]
  }
  if (hostLabel.test(name)) return []
  return [
    `The service name ${show(name)} is not a host name label (letters, digits and hyphens). DNS answers for it, but many clients reject such names.`,
  ]
}

function tagWarnings(tags: readonly string[]): readonly string[] {
  if (tags.every((tag) => hostName.test(tag))) return none
  const [lost, odd]: [string[], string[]] = [[], []]
  for (const tag of tags) {
    if (hostName.test(tag) || !askable.test(tag)) continue
    // All characters are ASCII, so length counts bytes.
    const isLost = tag.split('.').some((label) => label === '' || label.length > labelBytesMax)
    ;(isLost ? lost : odd).push(tag)
  }
  return [
    ...(lost.length > 0
      ? [
          `DNS cannot find the service by ${listed(lost)}: a DNS label has 1 to ${labelBytesMax} bytes.`,
        ]
      : []),
    ...(odd.length > 0
      ? [
          `DNS finds the service by ${listed(odd)}, but many clients reject such names. Host names have only letters, digits and hyphens.`,
        ]
      : []),
  ]
}

function listed(tags: readonly string[]): string {
  const more = tags.length - tagsNamed
  const names = tags.slice(0, tagsNamed).map(show).join(', ')
  const rest = more > 0 ? ` and ${more} more` : ''
  return `the ${tags.length === 1 ? 'tag' : 'tags'} ${names}${rest}`
}

function addressWarnings({ address }: ServiceDefinition): readonly string[] {
  if (!/(?:^|\.)localhost\.?$/i.test(address)) return none
  return [
    `With the address ${address}, each client connects to its own machine. Use an address that other machines can reach.`,
  ]
}

function portWarnings({ port, extra }: ServiceDefinition): readonly string[] {
  if (port !== 0 || extra['SocketPath'] !== undefined) return none
  return [
    'The service has no port, so its SRV records have port 0. Set the port that it listens on (--port, or "port" in a file).',
  ]
}

function metaWarnings({ meta }: ServiceDefinition): readonly string[] {
  const unknown = Object.keys(meta).filter(
    (key) => key.startsWith(bindingMetaPrefix) && !bindingMetaKeys.includes(key),
  )
  if (unknown.length === 0) return none
  return [
    `DNS does not know the meta key ${show(unknown[0] ?? '')}. SVCB and HTTPS records are made from ${bindingMetaKeys.join(', ')}.`,
  ]
}

/** In quotes, and short enough for a header. */
function show(text: string): string {
  const short = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
  return JSON.stringify(short.replaceAll(';', ','))
}
