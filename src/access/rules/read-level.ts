import { didYouMean } from '../../base/nearest.ts'
import type { Value } from './item.ts'
import type { Level } from './resource.ts'
import { quotedWord } from './source.ts'
import type { Source } from './source.ts'
import { suggestedLength } from './words.ts'

const levels: readonly Level[] = ['read', 'write', 'deny']
const keyLevels: readonly Level[] = ['read', 'list', 'write', 'deny']

/**
 * The level of a rule of `resource`, in any case. Undefined for "" and null: as if it were not given. `field` is the
 * place of the level, for error texts.
 */
export function readLevel(
  source: Source,
  field: string,
  value: Value,
  resource: string,
): Level | undefined {
  if (value.kind === 'other' && value.text === 'null') return undefined
  if (value.kind !== 'text') {
    source.fail(value.at, `Write the level as a text in quotes: ${field} = "read"`)
  }
  if (value.text === '') return undefined
  if (value.isHeredoc) {
    source.fail(value.at, `A heredoc ends with a line break. Write: ${field} = "read"`)
  }
  const word = value.text.toLowerCase()
  const known = resource === 'key' ? keyLevels : levels
  const level = known.find((each) => each === word)
  if (level !== undefined) return level
  if (word === 'list') source.fail(value.at, 'The level "list" is only for key and key_prefix')
  const near = word.length > suggestedLength ? '' : didYouMean(word, known)
  const next = near === '' ? ` Use one of: ${known.join(', ')}` : near
  return source.fail(value.at, `Unknown level ${quotedWord(value.text)}.${next}`)
}
