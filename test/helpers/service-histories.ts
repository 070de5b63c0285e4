import { must } from '../../src/base/assert.ts'

interface Instance {
  address: string
  isPassing: boolean
}

/** The states of one service that were asked for one after the other, the last by the last write. */
class ServiceHistory {
  readonly name: string
  /** Of each state, the addresses of those that pass, in order. */
  readonly states: string[] = ['']
  /** The last state whose write was answered. */
  acknowledged = 0
  readonly #instances: readonly Instance[]

  constructor(name: string, instances: number) {
    this.name = name
    this.#instances = Array.from({ length: instances }, () => ({ address: '', isPassing: false }))
  }

  get sent(): number {
    return this.states.length - 1
  }

  /** The body of the write that makes the next state. */
  next(): object {
    const step = this.states.length - 1
    const at = step % this.#instances.length
    const instance = must(this.#instances[at])
    const round = Math.floor(step / this.#instances.length)
    // Passing, critical, passing elsewhere: health and address change by turns, and at once.
    instance.isPassing = round % 3 !== 1
    instance.address = `10.${1 + at}.${(round >> 8) & 255}.${round & 255}`
    const passing = this.#instances.filter(({ isPassing }) => isPassing)
    this.states.push(
      passing
        .map(({ address }) => address)
        .toSorted()
        .join(' '),
    )
    const id = `${this.name}-${at}`
    return {
      Node: 'outside',
      Address: '10.0.0.1',
      SkipNodeUpdate: true,
      Service: { ID: id, Service: this.name, Address: instance.address, Port: 80 },
      Check: {
        CheckID: `service:${id}`,
        Name: 'health',
        Status: instance.isPassing ? 'passing' : 'critical',
        ServiceID: id,
      },
    }
  }

  /** Whether an answer is one of the states that were there between question and answer. */
  holds(answer: string, since: number): boolean {
    return this.states.indexOf(answer, since) >= 0
  }
}

/**
 * Many services whose every state is known, written over several connections, each of which has
 * services of its own. A write is one transition.
 */
export class ServiceHistories {
  readonly services: readonly ServiceHistory[]
  readonly #connections: number
  readonly #writing: (ServiceHistory | undefined)[] = []
  readonly #turns: number[] = []

  constructor(services: number, instances: number, connections: number) {
    this.#connections = connections
    this.services = Array.from(
      { length: services },
      (_, n) => new ServiceHistory(`svc${n}`, instances),
    )
  }

  /** The next write of a connection. */
  write(connection: number): object {
    const own = this.services.length / this.#connections
    const turn = this.#turns[connection] ?? 0
    this.#turns[connection] = turn + 1
    const service = must(this.services[connection + this.#connections * (turn % own)])
    this.#writing[connection] = service
    return service.next()
  }

  /** The write that the connection had begun was answered. */
  acknowledge(connection: number): void {
    const service = must(this.#writing[connection])
    service.acknowledged = service.sent
  }
}
