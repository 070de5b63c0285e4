import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../../base/assert.ts'
import { reasonOf } from '../../base/errors.ts'
import { eachRecord } from '../../dns/packed-records.ts'
import { recordType } from '../../dns/record.ts'
import type { ResourceRecord } from '../../dns/record.ts'
import { queryFamily } from '../../state/query/family.ts'
import { sessionFamily } from '../../state/session/family.ts'
import { StateReader } from '../../storage/state.ts'
import { transferMessages } from '../../transfer/messages.ts'
import { registrySoa, registryZone } from '../../transfer/registry-zone.ts'
import { CatalogView } from '../catalog-view.ts'
import { dnsCaller } from '../dns-rights.ts'
import type { FromImageThread, ImageSource, ImageThreadData } from './image-messages.ts'
import { registryNames } from './registry-names.ts'

// Writes the messages of one zone to a file, and ends. The registry's zone is read in one read transaction, so
// it is of one moment. The transaction lasts as long as this thread, and no longer for a client that reads slowly.

const port = must(parentPort, 'the image of a zone is written in a worker')
const { source, fd } = workerData as ImageThreadData

function post(message: FromImageThread): void {
  port.postMessage(message)
}

/** A read met what looks like damage. */
let isDamage = false

interface Written {
  readonly serial: number
  readonly records: number
}

/** Returns what was written, the second SOA included. */
function write(soa: ResourceRecord, serial: number, records: Iterable<ResourceRecord>): Written {
  let end = 0
  let count = 0
  for (const message of transferMessages(soa, records)) {
    for (let at = 0; at < message.length;)
      at += writeSync(fd, message, at, message.length - at, end + at)
    end += message.length
    count += message.readUInt16BE(6)
    post({ type: 'message', end })
  }
  return { serial, records: count }
}

function writeStatic({ zone }: Extract<ImageSource, { kind: 'static' }>): Written {
  const { origin: name, soa, soaTtl: ttl, records } = zone
  return write({ name, type: recordType.SOA, ttl, data: soa }, soa.serial, eachRecord(records))
}

function writeRegistry(of: Extract<ImageSource, { kind: 'registry' }>): Written {
  const reader = new StateReader(of.statePath, () => {
    isDamage = true
  })
  const caller = dnsCaller(of.rights)
  const queries = reader.of(queryFamily)
  const view = new CatalogView(
    { catalog: reader.catalog, sessions: reader.of(sessionFamily), queries },
    { caller, onlyPassing: of.onlyPassing, nodeName: of.nodeName },
  )
  try {
    return reader.read((catalog) => {
      // The serial of SOA answers: the index of the log, modulo 2^32.
      const serial = catalog.appliedIndex() >>> 0
      const names = registryNames(catalog.pages, queries, view, caller)
      return write(registrySoa(of.zone, serial), serial, registryZone(view, names, of.zone))
    })
  } finally {
    reader.close()
  }
}

post({ type: 'started' })
try {
  const written = source.kind === 'static' ? writeStatic(source) : writeRegistry(source)
  post({ type: 'done', ...written })
} catch (error) {
  post({ type: 'failed', reason: reasonOf(error), isDamage })
}
