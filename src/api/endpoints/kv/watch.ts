import type { FamilyReads } from '../../../ports/reads.ts'
import { kvFamily } from '../../../state/kv/family.ts'
import type { KvReader } from '../../../state/kv/reader.ts'
import type { ApiContext } from '../../context.ts'
import type { Handle } from '../../../http/endpoint.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { Question } from '../../../http/renderer.ts'
import { watches } from '../../streams/watches.ts'
import { keyOf } from './key.ts'

/** The handler of a stream of a key or a prefix, which is the path behind `before`. */
export function kvWatch(
  before: string,
  questionOf: (
    state: FamilyReads<KvReader>,
    key: string,
    parameters: Parameters,
  ) => Question<KvReader>,
): Handle<ApiContext> {
  return (context, request, reply) => {
    const key = keyOf(request, reply, before)
    if (key === undefined) return reply
    const question = questionOf(context.families.of(kvFamily), key, request.query)
    return watches(() => question)(context, request, reply)
  }
}
