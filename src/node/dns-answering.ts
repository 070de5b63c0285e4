import { randomBytes } from 'node:crypto'
import { Versions } from '../catalog/versions.ts'
import { Responder } from '../dns/responder.ts'
import type { Zone } from '../dns/zone.ts'
import { StateReader } from '../storage/state.ts'
import type { DnsAnswering } from './dns-messages.ts'
import { SharedMode } from './dns-messages.ts'
import { Snapshots } from './snapshots.ts'

export interface Answerer {
  readonly responder: Responder
  setZone(zone: Zone): void
  close(): void
}

/** A responder over a read-only connection of this thread's own. */
export function openAnswerer(
  answering: DnsAnswering,
  onError: (error: unknown, packet: Uint8Array) => void,
): Answerer {
  const reader = new StateReader(answering.statePath)
  const versions = new Versions(answering.versions)
  const mode = new SharedMode(answering.mode)
  let { zone } = answering
  const snapshots = new Snapshots(reader, versions, answering)
  const responder = new Responder({
    zone: () => zone,
    mode: () => mode.value,
    versions,
    snapshot: () => snapshots.open(),
    onError,
    // Unguessable, so that nobody can aim at the slots of the cache.
    seed: randomBytes(4).readUInt32LE(),
  })
  return {
    responder,
    setZone: (next) => {
      zone = next
      // After it, never before: what was made in between would count as new.
      versions.bumpGeneration()
    },
    close: () => reader.close(),
  }
}
