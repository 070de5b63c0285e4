import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from './answer.ts'
import { writeAnswer } from './answer.ts'
import { isPretty } from './reply.ts'
import { writeIfShort } from './sliced-answer.ts'

/** Bounds how many long answers one client has made at the same time. */
export interface LongAnswers {
  /** Begins one; returns what ends it. Throws `too-many-long-answers`. */
  begin(request: FastifyRequest, reply: FastifyReply): () => void
}

export interface LongAnswersContext {
  readonly longAnswers: LongAnswers
}

interface Sliced<Reader> {
  read<T>(query: (reader: Reader) => T): T
  readSliced<T>(steps: (reader: Reader) => Generator<void, T>): Promise<T>
}

/** The answer as JSON, a slice at a time when it is long; `answer` may be asked twice. */
export async function writeFor<Reader>(
  { longAnswers }: LongAnswersContext,
  request: FastifyRequest,
  reply: FastifyReply,
  state: Sliced<Reader>,
  answer: (reader: Reader) => Answer,
): Promise<Buffer> {
  const pretty = isPretty(request)
  const short = state.read((reader) => writeIfShort(answer(reader), pretty))
  if (short !== undefined) return short
  const end = longAnswers.begin(request, reply)
  try {
    return await state.readSliced((reader) => writeAnswer(answer(reader), pretty))
  } finally {
    end()
  }
}
