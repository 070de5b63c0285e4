import type { JSX } from 'preact'
import type { Health } from '../core/health.ts'
import { reasonText } from '../core/reason-text.ts'
import { firstLine, visibleText } from '../core/text.ts'
import { Since } from './since.tsx'

interface WhyProps {
  readonly health: Health
  readonly checkId: string
  readonly output: string
  /** The entry of the log that changed the check last. */
  readonly index: number
  /** The node of the instance, where the row does not say it. */
  readonly node?: string
}

/** Since when something is not well, where, and why, in one line. */
export function Why({ health, checkId, output, index, node }: WhyProps): JSX.Element {
  const text = reasonText(output, checkId)
  const where = node === undefined ? '' : ` on ${firstLine(node)}`
  return (
    <span class="why" title={`${visibleText(checkId)}${where}: ${visibleText(output)}`}>
      <span class={`since-${health}`}>
        <Since index={index} />
      </span>
      {node !== undefined && <span class="muted where">{firstLine(node)}</span>}
      <span>{text}</span>
    </span>
  )
}
