import type { StaticZone } from '../../dns/static-zone.ts'
import type { Zone } from '../../dns/zone.ts'
import type { DnsRights } from '../dns-rights.ts'

// What the main thread and the thread that writes the image of a zone say to each other.

/** The zone that a transfer sends. */
export type ImageSource =
  | { readonly kind: 'static'; readonly zone: StaticZone }
  | {
      readonly kind: 'registry'
      /** With the domain that is transferred. */
      readonly zone: Zone
      readonly statePath: string
      readonly rights: DnsRights
      readonly onlyPassing: boolean
      readonly nodeName: string
    }

export interface ImageThreadData {
  readonly source: ImageSource
  /** The file to write to; the main thread closes it. */
  readonly fd: number
}

export type FromImageThread =
  /** It runs, and has loaded what it needs. */
  | { readonly type: 'started' }
  /** The next message is complete in the file, up to this offset. */
  | { readonly type: 'message'; readonly end: number }
  | { readonly type: 'done'; readonly serial: number; readonly records: number }
  /** `isDamage`: a read met what looks like damage of state.db. */
  | { readonly type: 'failed'; readonly reason: string; readonly isDamage: boolean }
