import { must } from '../../src/base/assert.ts'
import type { IntentionCommand, IntentionPutCommand } from '../../src/state/intention/commands.ts'
import { intentionFamily } from '../../src/state/intention/family.ts'
import type {
  Intention,
  IntentionDefinition,
  IntentionName,
} from '../../src/state/intention/model.ts'
import { MemoryState } from './memory-state.ts'

/** `web`, or `eng/web`. */
export function intentionName(text: string): IntentionName {
  const [name, namespace] = text.split('/').toReversed()
  return { namespace: namespace ?? 'default', name: must(name) }
}

/** `web > db`: it may call it. */
export function intentionDefinition(
  pair: string,
  rest: Partial<IntentionDefinition> = {},
): IntentionDefinition {
  const [source, destination] = pair.split(' > ').map(intentionName)
  return {
    source: must(source),
    destination: must(destination),
    action: 'allow',
    description: '',
    meta: {},
    defaultAddress: '',
    defaultPort: 0,
    ...rest,
  }
}

/** `eng/web > db`, as the intention says it. */
export function pairOf({ source, destination }: IntentionDefinition): string {
  const text = ({ namespace, name }: IntentionName): string =>
    namespace === 'default' ? name : `${namespace}/${name}`
  return `${text(source)} > ${text(destination)}`
}

/** An ID that ends in a number. */
export function intentionId(number: number): string {
  return `20000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** Intentions in memory, and the log that fills them. */
export class MemoryIntentions {
  readonly state = new MemoryState()
  readonly reader = this.state.of(intentionFamily)

  /** Undefined: it was done; else why not. */
  apply(body: IntentionCommand): unknown {
    const outcome = this.state.apply(body)
    return outcome.ok ? outcome.value : outcome.error
  }

  put(
    number: number,
    pair: string,
    rest: Partial<IntentionDefinition> = {},
    mode: IntentionPutCommand['mode'] = 'any',
  ) {
    const intention = intentionDefinition(pair, rest)
    return this.apply({ kind: 'intention-put', mode, id: intentionId(number), intention })
  }

  delete(number: number): unknown {
    return this.apply({ kind: 'intention-delete', id: intentionId(number) })
  }

  get(number: number): Intention | undefined {
    return this.reader.intention(intentionId(number))
  }

  /** The pair that decides whether one may call the other; undefined: none. */
  deciding(source: string, destination: string): string | undefined {
    const found = this.reader.deciding(intentionName(source), intentionName(destination))
    return found === undefined ? undefined : pairOf(found)
  }
}
