import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

/** A button that copies a text. */
export function Copy({
  text,
  what,
}: {
  readonly text: string
  readonly what: string
}): JSX.Element {
  const [state, setState] = useState<'ready' | 'done' | 'failed'>('ready')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setState('done')
    } catch {
      // Browsers allow it only on pages over HTTPS, and on this machine.
      setState('failed')
    }
  }
  const label = { ready: `Copy ${what}`, done: 'Copied', failed: 'Select the text and copy it' }[
    state
  ]
  return (
    <button
      type="button"
      class="copy"
      title={label}
      aria-label={label}
      onClick={() => void copy()}
      onBlur={() => setState('ready')}
    >
      <Icon name={state === 'done' ? 'done' : 'copy'} />
      <span class="unseen" role="status">
        {state === 'ready' ? '' : label}
      </span>
    </button>
  )
}

/** A command with a button that copies it. */
export function Command({
  text,
  what = 'the command',
}: {
  readonly text: string
  readonly what?: string
}): JSX.Element {
  return (
    <div class="command">
      <code>{text}</code>
      <Copy text={text} what={what} />
    </div>
  )
}
