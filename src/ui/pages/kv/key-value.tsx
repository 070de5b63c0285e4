import type { JSX } from 'preact'
import type { KeyRow } from '../../../client/rows.ts'
import { indentedJson } from '../../core/json.ts'
import { pathTo } from '../../core/route.ts'
import { shellWord } from '../../core/shell-word.ts'
import { visibleText } from '../../core/text.ts'
import { base64Of, formatOf, inLines, sizeText, textOfBytes } from '../../core/value.ts'
import { keyPath } from '../../data/keys.ts'
import { parameters, setParameters } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { timeOf, useTimes } from '../../data/times.ts'
import { Command, Copy } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Name } from '../../parts/name.tsx'
import { Since } from '../../parts/since.tsx'
import { DeleteKey } from './delete-key.tsx'
import { bytesOf, editOf, keepDraft } from './drafts.ts'

interface KeyValueProps {
  readonly entry: KeyRow
  readonly onDeleted: () => void
}

/** A key with its value, to be read. */
export function KeyValue({ entry, onDeleted }: KeyValueProps): JSX.Element {
  const { Key: name, ModifyIndex: index, Session: session = '' } = entry
  const bytes = bytesOf(entry)
  const views = viewsOf(bytes)
  const asked = parameters.value.get('as')
  const view = views.find(({ id }) => id === asked) ?? views[0]
  const right = may('key', 'write', name)
  useTimes([index])
  return (
    <>
      <div class="key-bar">
        <p class="verdict">
          <span>{sizeText(bytes.length)}</span>
          {timeOf(index) !== undefined && (
            <span>
              changed <Since index={index} /> ago
            </span>
          )}
          {session !== '' && (
            <span class="locked">
              <Icon name="sessions" /> locked by{' '}
              <a href={pathTo('sessions', session)}>{session.slice(0, 8)}</a>
            </span>
          )}
        </p>
        <div class="actions">
          <DeleteKey entry={entry} right={right} onDeleted={onDeleted} />
          <button
            type="button"
            class="primary"
            disabled={!right.isAllowed}
            onClick={() => keepDraft(name, editOf(entry))}
          >
            Edit
          </button>
        </div>
      </div>
      {!right.isAllowed && <p class="note rights">You cannot change this key. {right.reason}</p>}
      <div class="value">
        <div class="value-bar">
          {views.length > 1 && <Views views={views} chosen={view?.id} />}
          <Copy text={view?.text() ?? ''} what="the value" />
        </div>
        {bytes.length === 0 ? (
          <p class="muted nothing">The value is empty.</p>
        ) : (
          <pre tabIndex={0} aria-label="Value">
            {visibleText(view?.text() ?? '')}
          </pre>
        )}
      </div>
      <Facts entry={entry} />
    </>
  )
}

interface View {
  readonly id: string
  readonly title: string
  readonly text: () => string
}

/** The ways to read a value. JSON is only shown in lines, and not changed. */
function viewsOf(bytes: Uint8Array): readonly View[] {
  const text = textOfBytes(bytes)
  const base64 = { id: 'base64', title: 'Base64', text: () => inLines(base64Of(bytes)) }
  if (text === undefined) return [base64]
  const plain = { id: 'text', title: 'As stored', text: () => text }
  if (formatOf(bytes) !== 'json') return [{ ...plain, title: 'Text' }, base64]
  return [{ id: 'json', title: 'JSON', text: () => indentedJson(text) }, plain, base64]
}

function Views({
  views,
  chosen,
}: {
  readonly views: readonly View[]
  readonly chosen: string | undefined
}): JSX.Element {
  return (
    <div class="segments" role="group" aria-label="Show the value as">
      {views.map(({ id, title }, at) => (
        <label key={id}>
          <input
            type="radio"
            name="as"
            checked={id === chosen}
            onChange={() => setParameters({ as: at === 0 ? '' : id })}
          />
          <span>{title}</span>
        </label>
      ))}
    </div>
  )
}

function Facts({ entry }: { readonly entry: KeyRow }): JSX.Element {
  const { Key: name, Flags, Session = '', LockIndex, CreateIndex, ModifyIndex } = entry
  const lock =
    Session === '' ? (
      <span class="muted">no session</span>
    ) : (
      <Name text={Session} href={pathTo('sessions', Session)} />
    )
  return (
    <div class="key-facts">
      <FactList
        rows={[
          ['Flags', <span class="figure">{Flags}</span>],
          ['Locked by', lock],
          ['Lock index', <span class="figure">{LockIndex}</span>],
          ['Create index', <span class="figure">{CreateIndex}</span>],
          ['Modify index', <span class="figure">{ModifyIndex}</span>],
        ]}
      />
      <div class="commands">
        <Command text={`svcd kv get ${shellWord(name)}`} />
        <Command
          text={`curl ${shellWord(`${window.location.origin}/v1/${keyPath('kv/', name)}?raw`)}`}
        />
      </div>
    </div>
  )
}
