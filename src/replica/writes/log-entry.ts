import type { Command, Proposal } from '../../state/machine/command.ts'

/**
 * The log entries of proposals: their JSON with the leader's time put in front, so that the leader stamps
 * them without parsing and printing them again.
 */
export function stampAll(proposals: readonly Uint8Array[], timeMs: number): Buffer[] {
  const prefix = `{"timeMs":${timeMs},`
  return proposals.map((proposal) => {
    const entry = Buffer.allocUnsafe(prefix.length + proposal.length - 1)
    entry.write(prefix, 'latin1')
    // Behind its opening brace.
    entry.set(proposal.subarray(1), prefix.length)
    return entry
  })
}

/**
 * The command that decoding the entry of a proposal gives, of a proposal that was parsed from the very bytes
 * of the entry. It must contain no time.
 */
export function stamped(proposal: Proposal, timeMs: number): Command {
  return { timeMs, ...proposal }
}

export function parseProposal(bytes: Uint8Array): Proposal {
  const { buffer, byteOffset, length } = bytes
  return JSON.parse(Buffer.from(buffer, byteOffset, length).toString()) as Proposal
}
