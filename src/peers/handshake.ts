import { frameHeaderBytes, frameTypes } from './frame.ts'
import { decodeHello, describePeer, encodeHello, judgeHello, judgeSecret } from './hello.ts'
import { decodeMark, decodeProof, encodeMark, encodeProof, isProven } from './secret.ts'
import type { Agreement, Hello, KnownPeer, Purpose, Refusal } from './hello.ts'
import type { PeerSecret, Proof, ProofStep, Transcript } from './secret.ts'

export interface HandshakeParts {
  readonly role: 'dial' | 'accept'
  /** How a refusal calls who has not said its name yet. */
  readonly address: string
  readonly secret: PeerSecret | undefined
  /** This server's greeting; the side that accepts makes it once it knows what the other one wants. */
  readonly hello: (purpose: Purpose | undefined) => Hello
  /** What else is known of who claims to be `id`. */
  readonly known: (id: string) => KnownPeer
}

export interface Opened {
  readonly peer: Hello
  readonly agreement: Agreement
  /** It has proven the cluster's secret. */
  readonly isProven: boolean
}

/** The actions after a frame: send, in any case first; then refuse, open, or wait for more. */
export interface HandshakeStep {
  readonly send: readonly Buffer[]
  readonly refusal?: Refusal
  readonly opened?: Opened
}

/**
 * How a connection begins, without the connection. The side that dials greets first, and is greeted
 * back. Between servers without a secret that is all. With one,
 *
 *     dial →    its proof
 *   accept ←    its proof, and its cluster id
 *     dial →    its cluster id, with a proof
 *
 * A side does not send the cluster's id to the other, or listen to it, before the other has proven
 * its identity.
 */
export class PeerHandshake {
  /** The id that the other side claims, accepted or not. */
  claimedId: string | undefined
  readonly #parts: HandshakeParts
  #own: Hello | undefined
  #theirs: Hello | undefined
  #sent: Buffer | undefined
  #received: Buffer | undefined
  /** Of the side that accepts: the first proof has been there. */
  #isDialProven = false

  constructor(parts: HandshakeParts) {
    this.#parts = parts
  }

  /** This side's greeting, the cluster's id included, once it was made. */
  get own(): Hello | undefined {
    return this.#own
  }

  /** The frame with which the dialling side begins. */
  greet(): Buffer {
    return this.#greeting(this.#makeOwn(undefined))
  }

  take(type: number, body: Buffer): HandshakeStep {
    return this.#theirs === undefined ? this.#onHello(type, body) : this.#onProof(type, body)
  }

  #makeOwn(purpose: Purpose | undefined): Hello {
    this.#own ??= this.#parts.hello(purpose)
    return this.#own
  }

  #greeting(own: Hello): Buffer {
    const isHidden = own.challenge?.isRequired === true
    const frame = encodeHello(isHidden ? { ...own, clusterId: undefined, epoch: 0 } : own)
    this.#sent = frame.subarray(frameHeaderBytes)
    return frame
  }

  #onHello(type: number, body: Buffer): HandshakeStep {
    const { role, address, known, secret } = this.#parts
    const theirs = type === frameTypes.hello ? decodeHello(body) : undefined
    if (theirs === undefined) {
      return refuse({
        code: 'bad-greeting',
        text: `${address} does not send the greeting of a svcd server`,
      })
    }
    this.claimedId = theirs.id
    const own = this.#makeOwn(theirs.purpose)
    const fault = judgeSecret(own, theirs)
    if (fault !== undefined) return refuse(fault)
    const isSecret = own.challenge !== undefined && theirs.challenge !== undefined
    // Of which cluster they are is judged once both have said it.
    const judged = isSecret
      ? judgeHello(unmarked(own), unmarked(theirs), known(theirs.id))
      : this.#judge(own, theirs)
    if ('code' in judged) return refuse(judged)
    const send = role === 'accept' ? [this.#greeting(own)] : []
    if (!isSecret || secret === undefined) {
      return { send, opened: { peer: theirs, agreement: judged, isProven: false } }
    }
    // A copy: `body` is a view of what was read.
    this.#received = Buffer.from(body)
    this.#theirs = theirs
    return { send: role === 'accept' ? send : [this.#prove('dial', secret)] }
  }

  #onProof(type: number, body: Buffer): HandshakeStep {
    const { role, secret } = this.#parts
    const theirs = this.#theirs
    const proof = type === frameTypes.proof ? decodeProof(body) : undefined
    if (proof === undefined || theirs === undefined || secret === undefined) {
      const text = `${this.#name()} does not prove that it knows the cluster secret`
      return refuse({ code: 'bad-greeting', text })
    }
    const step = role === 'dial' ? 'accept' : this.#isDialProven ? 'confirm' : 'dial'
    if (!isProven(secret.keys, step, this.#transcript(), proof)) {
      return refuse({
        code: 'secret',
        text: `${this.#name()} has a different cluster secret: all servers need a common -encrypt key`,
      })
    }
    if (step === 'dial') {
      this.#isDialProven = true
      return { send: [this.#prove('accept', secret)] }
    }
    return this.#onMark(theirs, proof, secret)
  }

  #onMark(theirs: Hello, proof: Proof, secret: PeerSecret): HandshakeStep {
    const mark = decodeMark(proof.mark)
    if (mark === undefined) {
      return refuse({ code: 'bad-greeting', text: `${this.#name()} does not name its cluster` })
    }
    const peer = { ...theirs, ...mark }
    const judged = this.#judge(this.#makeOwn(theirs.purpose), peer)
    const send = this.#parts.role === 'dial' ? [this.#prove('confirm', secret)] : []
    // The other side has proven itself: it may read both ids in the refusal.
    if ('code' in judged) return { send, refusal: judged }
    return { send, opened: { peer, agreement: judged, isProven: true } }
  }

  #judge(own: Hello, theirs: Hello): Agreement | Refusal {
    const judged = judgeHello(own, theirs, this.#parts.known(theirs.id))
    if ('code' in judged || theirs.purpose !== 'snapshot' || judged.isSameCluster) return judged
    const text = `${this.#parts.address} offers a snapshot of another cluster`
    return { code: 'wrong-cluster', text }
  }

  #prove(step: ProofStep, { keys }: PeerSecret): Buffer {
    const mark = step === 'dial' ? undefined : encodeMark(this.#makeOwn(undefined))
    return encodeProof(keys, step, this.#transcript(), mark)
  }

  #transcript(): Transcript {
    const [own, theirs] = [this.#sent ?? Buffer.alloc(0), this.#received ?? Buffer.alloc(0)]
    return this.#parts.role === 'dial'
      ? { dialled: own, accepted: theirs }
      : { dialled: theirs, accepted: own }
  }

  #name(): string {
    return this.#theirs === undefined ? this.#parts.address : describePeer(this.#theirs)
  }
}

function unmarked(hello: Hello): Hello {
  return { ...hello, clusterId: undefined, epoch: 0 }
}

function refuse(refusal: Refusal): HandshakeStep {
  return { send: [], refusal }
}
