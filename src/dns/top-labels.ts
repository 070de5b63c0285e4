import { lowerAscii } from './name.ts'
import { foldOctet } from './query-scan.ts'
import type { Zone } from './zone.ts'

/**
 * The last labels of the names that svcd serves. A name with another last label is not served: to find this out
 * costs a fraction of reading the name.
 */
export class TopLabels {
  readonly #labels: readonly Uint8Array[]
  /** Every name is below the root. */
  readonly #hasRoot: boolean

  constructor({ domain, altDomain, staticZones }: Zone) {
    const origins = [...staticZones.values()].map(({ origin }) => origin)
    const names = [domain, altDomain ?? domain, ['arpa'], ...origins]
    this.#labels = names.map((name) => Buffer.from(lowerAscii(name.at(-1) ?? ''), 'latin1'))
    this.#hasRoot = names.some((name) => name.length === 0)
  }

  /** Whether a name with the last label of the name at `start` may be served. The name is not compressed. */
  mayServe(packet: Uint8Array, start: number): boolean {
    if (this.#hasRoot) return true
    let last = start
    for (let at = start; (packet[at] ?? 0) !== 0; at += 1 + (packet[at] ?? 0)) last = at
    for (const label of this.#labels) if (isLabel(label, packet, last)) return true
    return false
  }
}

function isLabel(label: Uint8Array, packet: Uint8Array, at: number): boolean {
  if (packet[at] !== label.length) return false
  for (let each = 0; each < label.length; each++) {
    if (foldOctet(packet[at + 1 + each] ?? 0) !== label[each]) return false
  }
  return true
}
