import { randomUUID } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { checkUuid } from '../../config/check.ts'
import { ownerOf } from './log-owner.ts'

/**
 * The node's UUID, which is never used for another node. It is stored in the file `node-id`, made
 * at the first start, and in the log, from which a lost or damaged file is restored. `given` is the
 * option. Throws `node-id-lost`, `node-id-invalid`, and what opening the log throws.
 */
export function nodeIdOf(directory: string, given: string | undefined, logger: Logger): string {
  const written = writtenNodeId(directory)
  const isWritten = written !== undefined && checkUuid(written) === undefined
  // Most starts; that the log is of the same node is seen when it is opened.
  if (isWritten && (given ?? written) === written) {
    chmodSync(nodeIdFile(directory), 0o600)
    return written
  }
  const owner = ownerOf(directory)
  const lost = (reason: string): Error => svcdError('node-id-lost', { path: directory, reason })
  const id = given ?? owner.nodeId
  const known = owner.nodeId ?? (isWritten ? written : undefined)
  if (owner.isMember) {
    const what = written === undefined ? 'is missing' : 'does not contain a UUID'
    if (id === undefined) throw lost(`its file node-id ${what}`)
    if (known !== undefined && known !== id)
      throw lost(`-node-id ${id} does not match its ID, ${known}`)
    if (known === undefined && owner.members.length > 0 && !owner.members.includes(id)) {
      throw lost(`-node-id ${id} is not one of the members: ${owner.members.join(', ')}`)
    }
  } else if (id === undefined && (written ?? '') !== '') {
    throw svcdError('node-id-invalid', { path: nodeIdFile(directory) })
  }
  if (given === undefined && id !== undefined) {
    logger.warn({ id }, 'the file node-id was missing or damaged; restored it from the log')
  }
  return writeNodeId(directory, id ?? randomUUID())
}

/** What the file says, whether that is an id or not; undefined when there is none. */
export function writtenNodeId(directory: string): string | undefined {
  try {
    return readFileSync(nodeIdFile(directory), 'utf8').trim()
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw svcdError('data-dir-unusable', { path: directory, reason: reasonOf(error) }, error)
  }
}

/** Whole or not at all: a crash must not leave an empty file. */
function writeNodeId(directory: string, id: string): string {
  const path = nodeIdFile(directory)
  try {
    writeFileSync(`${path}.new`, `${id}\n`, { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw svcdError('data-dir-unusable', { path: directory, reason: reasonOf(error) }, error)
  }
  return id
}

function nodeIdFile(directory: string): string {
  return join(directory, 'node-id')
}
