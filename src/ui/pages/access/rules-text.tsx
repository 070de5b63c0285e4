import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { offsetOf } from '../../core/access.ts'
import type { RulesFault } from '../../core/access.ts'
import { visibleText } from '../../core/text.ts'

/** The rules of a policy, with the numbers of their lines. */
export function RulesText({
  rules,
  marked = 0,
}: {
  readonly rules: string
  /** A line to point out; 0: none. */
  readonly marked?: number
}): JSX.Element {
  if (rules.trim() === '')
    return <p class="muted">The policy has no rules, so it allows nothing.</p>
  return (
    <div class="rules">
      <Numbers count={linesOf(rules)} marked={marked} />
      <pre tabIndex={0} aria-label="Rules">
        {visibleText(rules)}
      </pre>
    </div>
  )
}

interface RulesEditorProps {
  readonly rules: string
  readonly onChange: (rules: string) => void
  readonly fault: RulesFault | undefined
}

/** Where the rules of a policy are written. What the agent does not understand is shown at its line. */
export function RulesEditor({ rules, onChange, fault }: RulesEditorProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null)
  const show = (): void => {
    if (fault === undefined || area.current === null) return
    const at = offsetOf(area.current.value, fault.line, fault.column)
    area.current.focus()
    area.current.setSelectionRange(at, Math.min(area.current.value.length, at + 1))
  }
  useEffect(show, [fault])
  const count = Math.max(12, linesOf(rules) + 1)
  return (
    <div class="field">
      <label for="rules">Rules</label>
      <div class="rules edited">
        <Numbers count={count} marked={fault?.line ?? 0} />
        <textarea
          ref={area}
          id="rules"
          rows={count}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          aria-invalid={fault !== undefined}
          aria-describedby="rules-hint"
          value={rules}
          placeholder={'service_prefix "" {\n  policy = "read"\n}'}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      </div>
      {fault === undefined ? (
        <p id="rules-hint" class="hint">
          <code>service</code>, <code>node</code>, <code>key</code>, <code>session</code>,{' '}
          <code>event</code>, <code>query</code> and <code>agent</code> take a name, and with{' '}
          <code>_prefix</code> the beginning of names. <code>operator</code> and <code>acl</code>{' '}
          have none. Levels: <code>deny</code>, <code>read</code>, <code>list</code>,{' '}
          <code>write</code>.
        </p>
      ) : (
        <p id="rules-hint" class="hint wrong" role="alert">
          <button type="button" class="link" onClick={show}>
            Line {fault.line}, column {fault.column}
          </button>
          : {visibleText(fault.reason)}
        </p>
      )}
    </div>
  )
}

function linesOf(text: string): number {
  return text.replace(/\n$/, '').split('\n').length
}

function Numbers({
  count,
  marked,
}: {
  readonly count: number
  readonly marked: number
}): JSX.Element {
  return (
    <div class="numbers" aria-hidden="true">
      {Array.from({ length: count }, (_none, at) => (
        <span key={at} class={at + 1 === marked ? 'marked' : undefined}>
          {at + 1}
        </span>
      ))}
    </div>
  )
}
