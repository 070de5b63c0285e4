import { inet } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import { AnswerBlock } from './answer-block.ts'
import { MessageBlock } from './message-block.ts'
import type { SavedMessage } from './message-block.ts'

/** Answers saved messages from another thread than the one that received them, through the same sockets. */
export class MmsgReplies {
  readonly #libc: Libc
  readonly #block: MessageBlock
  readonly #answers: AnswerBlock
  /** Answers that could not be sent. */
  errors = 0

  constructor(libc: Libc) {
    this.#libc = libc
    this.#block = new MessageBlock(libc)
    this.#answers = new AnswerBlock(libc, this.#block)
  }

  send(fd: number, message: SavedMessage, answer: Uint8Array): void {
    this.#block.restore(0, message)
    this.#answers.bytes.set(answer, this.#answers.answerAt)
    this.#answers.add(0, answer.length)
    this.#answers.gather(false)
    if (this.#libc.sendmmsg(fd, this.#answers.header(0), 1, inet.MSG_DONTWAIT) < 1) this.errors++
    this.#answers.clear()
    this.#block.reset(1)
  }

  /** After the last answer. */
  close(): void {
    this.#answers.free()
    this.#block.free()
  }
}
