import type { JSX } from 'preact'
import { quoted, withTerm } from '../core/query.ts'
import { pathTo, withParameters } from '../core/route.ts'
import { visibleText } from '../core/text.ts'

interface TagProps {
  readonly tag: string
  /** The query that the tag is added to. */
  readonly query?: string | undefined
}

/** A tag. A click shows the services that have it. */
export function Tag({ tag, query = '' }: TagProps): JSX.Element {
  const q = withTerm(query, `tag:${quoted(tag)}`)
  return (
    <a
      class="tag"
      href={withParameters(pathTo('services'), { q })}
      title={`Services with the tag ${visibleText(tag)}`}
    >
      <bdi>{visibleText(tag)}</bdi>
    </a>
  )
}

/** The first tags of a row. */
export function Tags({
  tags,
  query,
  max = 4,
}: {
  readonly tags: readonly string[]
  readonly query?: string
  readonly max?: number
}): JSX.Element {
  const rest = tags.length - max
  return (
    <span class="tags">
      {tags.slice(0, max).map((tag) => (
        <Tag key={tag} tag={tag} query={query} />
      ))}
      {rest > 0 && (
        <span class="muted" title={tags.slice(max).map(visibleText).join(', ')}>
          +{rest}
        </span>
      )}
    </span>
  )
}
