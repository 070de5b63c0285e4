import { writeAnswer } from './answer.ts'
import type { Answer } from './answer.ts'

/** An answer of more rows than this is long, and made a slice at a time. */
const shortSteps = 250

/** The answer as JSON; undefined when it is too long to be made in one piece. */
export function writeIfShort(answer: Answer, pretty: boolean): Buffer | undefined {
  const running = writeAnswer(answer, pretty)
  for (let step = 0; step <= shortSteps; step++) {
    const next = running.next()
    if (next.done === true) return next.value
  }
  running.return(Buffer.alloc(0))
  return undefined
}
