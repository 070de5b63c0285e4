import { svcdError } from '../base/errors.ts'
import type { ReadableFamily } from '../state/machine/family.ts'
import { StateReader } from '../storage/state.ts'

/** How long one slice keeps the event loop. */
const sliceMs = 4
/** A step costs microseconds, looking at the clock a good part of one. */
const stepsPerLook = 4

/**
 * Long reads of the state on the main thread, a slice at a time, so that DNS over TCP and others
 * get their turn in between. Each sees one moment, in a read transaction on a connection of its own;
 * they run one after another.
 */
export class SlicedReads {
  readonly #path: string
  readonly #onSuspicion: (reason: string) => void
  #reader: StateReader | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /** `onSuspicion`: as for {@link StateReader}. */
  constructor(statePath: string, onSuspicion: (reason: string) => void) {
    this.#path = statePath
    this.#onSuspicion = onSuspicion
  }

  /** Runs `steps` to its end and resolves with what it returns. Rejects with `stopping` after close. */
  run<R, T>(family: ReadableFamily<R>, steps: (reader: R) => Generator<void, T>): Promise<T> {
    const done = this.#last.then(() => this.#run(family, steps))
    this.#last = done.catch(() => {})
    return done
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
    this.#reader?.close()
  }

  async #run<R, T>(
    family: ReadableFamily<R>,
    steps: (reader: R) => Generator<void, T>,
  ): Promise<T> {
    if (this.#isClosed) throw svcdError('stopping', {})
    const reader = (this.#reader ??= new StateReader(this.#path, this.#onSuspicion))
    reader.begin()
    try {
      const running = steps(reader.of(family))
      for (;;) {
        const result = slice(running)
        if (result !== undefined) return result.value
        await new Promise((resolve) => setImmediate(resolve))
        if (this.#isClosed) throw svcdError('stopping', {})
      }
    } catch (error) {
      throw reader.judged(error)
    } finally {
      reader.end()
    }
  }
}

function slice<T>(running: Generator<void, T>): { readonly value: T } | undefined {
  const end = performance.now() + sliceMs
  do {
    for (let step = 0; step < stepsPerLook; step++) {
      const next = running.next()
      if (next.done === true) return { value: next.value }
    }
  } while (performance.now() < end)
  return undefined
}
