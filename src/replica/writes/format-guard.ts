import { svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { NodeId } from '../../raft/entry.ts'
import { formatOf, stateVersion } from '../../state/families.ts'
import type { Proposal } from '../../state/machine/command.ts'
import type { MemberFormats } from '../duties/member-formats.ts'

/**
 * Why a leader does not take a proposal (`release-too-old`): a member that has reported an older format does
 * not know the command, and would end, because a server cannot skip a committed entry. A member that has
 * not reported yet does not count: writes must not wait for a server that is down.
 */
export function formatRefusal(
  read: () => Proposal,
  formats: MemberFormats | undefined,
  nameOf: (id: NodeId) => string | undefined,
): SvcdError | undefined {
  // The proposal is read only while releases are mixed.
  if (formats === undefined || formats.older(stateVersion).length === 0) return undefined
  const { body } = read()
  const format = formatOf(body)
  const older = formats.older(format)
  if (older.length === 0) return undefined
  const servers = older.map((id) => nameOf(id) ?? id).join(', ')
  return svcdError('release-too-old', { kind: body.kind, format, servers })
}
