import type { Proposal } from '../../state/machine/command.ts'
import { completeBody, proposalFault } from '../../state/families.ts'
import { parseProposal } from './log-entry.ts'

export type ReadProposal =
  | { readonly fault: undefined; readonly parsed: Proposal }
  /** Why it must not enter the log. */
  | { readonly fault: string }

const openingBrace = 0x7b

/** A proposal that another server has sent, parsed once: it is judged, and applied, as it was parsed. */
export function readProposal(bytes: Uint8Array): ReadProposal {
  // `stampAll` writes the time behind the first character.
  if (bytes[0] !== openingBrace) return { fault: 'it is not a proposal' }
  let parsed: Proposal
  try {
    parsed = parseProposal(bytes)
  } catch {
    return { fault: 'it is not JSON' }
  }
  const fault = proposalFault(parsed)
  if (fault !== undefined) return { fault }
  completeBody(parsed.body)
  return { fault, parsed }
}
