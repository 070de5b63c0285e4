import type { Index, Term } from '../../raft/entry.ts'
import type { Command } from '../../state/machine/command.ts'

interface Parsed {
  readonly term: Term
  readonly command: Command
}

/** More than are on their way from the log to the state, unless the quorum is slow. */
const countMax = 4096

/**
 * The commands that this server has parsed before it appended them: it applies the same objects, instead of
 * parsing the entries again. A command that is missing here is parsed when it is applied.
 */
export class ParsedCommands {
  readonly #parsed = new Map<Index, Parsed>()

  get size(): number {
    return this.#parsed.size
  }

  /** `command` is in the log at `index`, and equal to what decoding that entry gives. */
  note(index: Index, term: Term, command: Command): void {
    this.#parsed.set(index, { term, command })
    if (this.#parsed.size <= countMax) return
    for (const [oldest] of this.#parsed) {
      this.#parsed.delete(oldest)
      break
    }
  }

  /** The command of an entry that is applied. Another leader's entry may have taken its place in the log. */
  take(index: Index, term: Term): Command | undefined {
    const parsed = this.#parsed.get(index)
    if (parsed === undefined) return undefined
    this.#parsed.delete(index)
    return parsed.term === term ? parsed.command : undefined
  }

  /** Entries up to `index` are in the state: a snapshot has brought them. */
  dropTo(index: Index): void {
    for (const at of this.#parsed.keys()) if (at <= index) this.#parsed.delete(at)
  }
}
