import type { PeerTransport } from '../../peers/transport.ts'
import { packProposals } from '../writes/packed-proposals.ts'
import type { ProposalResult, ProposalsParts } from '../writes/proposals.ts'

/** A connected server, by its id; any server, by its address. */
export type PeerTarget = { readonly id: string } | { readonly address: string }

/** Asks another server; see {@link PeerTransport.request} for what it rejects with. */
export type AskPeer = <T>(
  target: PeerTarget,
  kind: string,
  body: unknown,
  timeoutMs: number,
) => Promise<T>

/** Hands proposals to another server, as packed-proposals.ts packs them. */
export function forwarderOver(
  transport: () => Pick<PeerTransport, 'request'>,
  timeoutMs: number,
): ProposalsParts['forward'] {
  return async (to, proposals) => {
    const packed = packProposals(proposals)
    const reply = await transport().request({ id: to }, 'propose', packed, timeoutMs)
    return JSON.parse(reply.toString()) as readonly ProposalResult[]
  }
}

/** The other end of PeerRequests: bodies and answers are JSON. */
export function askerOver(transport: () => PeerTransport): AskPeer {
  return async <T>(target: PeerTarget, kind: string, body: unknown, timeoutMs: number) => {
    const sent = Buffer.from(JSON.stringify(body))
    const reply = await transport().request(target, kind, sent, timeoutMs)
    return JSON.parse(reply.toString()) as T
  }
}
