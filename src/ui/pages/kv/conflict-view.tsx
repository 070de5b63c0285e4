import type { JSX } from 'preact'
import { diffLines, foldSame } from '../../core/diff.ts'
import { visibleText } from '../../core/text.ts'
import { bytesOfTyped, formatOf, typedOf } from '../../core/value.ts'
import type { ApiFault } from '../../data/api.ts'
import type { Draft, KeyState } from './drafts.ts'
import { SaveFault } from './save-fault.tsx'

interface ConflictProps {
  readonly draft: Draft
  /** Null: the key was deleted. */
  readonly theirs: KeyState | null
  readonly isBusy: boolean
  readonly fault: ApiFault | undefined
  readonly onOverwrite: () => void
  readonly onEdit: () => void
  readonly onDiscard: () => void
}

/** Somebody else changed the key: what differs, and what can be done. */
export function ConflictView(props: ConflictProps): JSX.Element {
  const { draft, theirs, isBusy, fault, onOverwrite, onEdit, onDiscard } = props
  return (
    <section class="conflict" aria-label="Conflict">
      <h2>
        {theirs === null
          ? 'This key was deleted while you edited it'
          : 'This key was changed while you edited it'}
      </h2>
      <p>Nothing is written yet, and what you typed is still here.</p>
      {theirs !== null && <Difference draft={draft} theirs={theirs} />}
      <SaveFault fault={fault} />
      <div class="actions">
        <button type="button" onClick={onDiscard}>
          Discard mine
        </button>
        <button type="button" onClick={onEdit}>
          Continue to edit mine
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={onOverwrite}>
          {theirs === null ? 'Create it again with mine' : 'Replace it with mine'}
        </button>
      </div>
    </section>
  )
}

function Difference({
  draft,
  theirs,
}: {
  readonly draft: Draft
  readonly theirs: KeyState
}): JSX.Element {
  const [before, after] = textsOf(draft, theirs)
  const lines = foldSame(diffLines(before, after))
  const marks = { same: ' ', removed: '−', added: '+', folded: '⋯' } as const
  return (
    <>
      <p class="diff-legend">
        <span class="removed">− stored now</span> <span class="added">+ yours</span>
      </p>
      {before === after && <p class="muted">The values are equal.</p>}
      {theirs.flags !== draft.flags && (
        <p>
          Flags: <del>{theirs.flags}</del> <ins>{draft.flags}</ins>
        </p>
      )}
      <pre class="diff" tabIndex={0} aria-label="Difference">
        {lines.map(({ kind, text }, at) => (
          <span key={at} class={kind}>
            <span aria-hidden="true">{marks[kind]} </span>
            {kind === 'removed' && <span class="unseen">stored now: </span>}
            {kind === 'added' && <span class="unseen">yours: </span>}
            {visibleText(text)}
            {'\n'}
          </span>
        ))}
      </pre>
    </>
  )
}

/** Both values in a form that can be compared: as texts, or as base64. */
function textsOf(draft: Draft, theirs: KeyState): readonly [string, string] {
  const typed = bytesOfTyped(draft.text, draft.format)
  if (typed.kind === 'fault') return [typedOf(theirs.bytes, 'text'), draft.text]
  const isBinary = [theirs.bytes, typed.bytes].some((bytes) => formatOf(bytes) === 'base64')
  const format = isBinary ? 'base64' : 'text'
  return [typedOf(theirs.bytes, format), typedOf(typed.bytes, format)]
}
