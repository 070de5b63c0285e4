import type { JSX } from 'preact'
import { visibleText } from '../core/text.ts'

interface NameProps {
  readonly text: string
  /** Where it leads, if it does. */
  readonly href?: string | undefined
}

/** A name, an address or a key: whatever characters it has, they are shown, and nothing else happens. */
export function Name({ text, href }: NameProps): JSX.Element {
  const shown = visibleText(text).replaceAll('\n', '\\n')
  const content = <bdi>{shown}</bdi>
  return href === undefined ? (
    <span class="name" title={shown}>
      {content}
    </span>
  ) : (
    <a class="name" href={href} title={shown}>
      {content}
    </a>
  )
}
