import { freshSeconds } from '../../dns/wire-records.ts'
import { svcdError } from '../../base/errors.ts'
import { passedOn } from '../packet-responder.ts'
import { dohMediaType } from './doh-request.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { AnswerBuffer, StreamAnswering } from '../tcp/answer-buffer.ts'

/** An answer as HTTP sends it. */
export interface DohAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
}

const frameBytes = 2

/** The answer to `query`; {@link passedOn}: another thread will give it. */
export function answerDoh(
  query: Uint8Array,
  answers: AnswerBuffer,
  answering: StreamAnswering,
): DohAnswer | typeof passedOn {
  const bare = answers.add(query, answering)
  if (bare === passedOn) return passedOn
  return bare === 0 ? refusedDoh(svcdError('doh-query', {})) : takeAnswer(answers)
}

/** The same for an answer that another thread has given. */
export function answerDohLater(
  query: Uint8Array,
  answer: Uint8Array,
  answers: AnswerBuffer,
  answering: StreamAnswering,
): DohAnswer {
  answers.addLater(query, answer, answering)
  return takeAnswer(answers)
}

/** The answer in the buffer, with how long a cache may keep it (RFC 8484 §5.1). */
function takeAnswer(answers: AnswerBuffer): DohAnswer {
  const body = answers.take().subarray(frameBytes)
  const seconds = freshSeconds(body, 0, body.length)
  return {
    status: 200,
    headers: {
      'content-type': dohMediaType,
      'content-length': body.length,
      'cache-control': `max-age=${seconds}`,
    },
    body,
  }
}

export function refusedDoh(error: SvcdError): DohAnswer {
  const body = Buffer.from(`${error.message}\n`)
  return {
    status: error.row.http,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      // Without it a cache may keep a 404 or 405 (RFC 9110 §15.1).
      'cache-control': 'no-store',
      // RFC 9110 §15.5.6
      ...(error.code === 'doh-method' ? { allow: 'GET, POST' } : {}),
    },
    body,
  }
}
