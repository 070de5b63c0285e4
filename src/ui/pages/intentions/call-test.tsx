import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { pairText } from '../../core/intentions.ts'
import type { IntentionRow } from '../../core/intentions.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import type { Fetched } from '../../data/fetched.ts'
import { parameters, setParameters } from '../../data/location.ts'
import { Status } from '../../parts/mark.tsx'
import { ServiceInput } from './service-input.tsx'

/** What the API answers to connect/intentions/check. */
export interface Checked {
  readonly Allowed: boolean
  readonly DecidedBy: string
  readonly Intention: IntentionRow | null
}

/** May one service call another? The URL keeps the question. */
export function CallTest({ checked }: { readonly checked: Fetched<Checked> }): JSX.Element {
  const asked = parameters.value
  const [source, setSource] = useState(asked.get('source') ?? '')
  const [destination, setDestination] = useState(asked.get('destination') ?? '')
  const isAsked = (asked.get('source') ?? '') !== '' && (asked.get('destination') ?? '') !== ''
  const submit = (event: Event): void => {
    event.preventDefault()
    setParameters({ source: source.trim(), destination: destination.trim() })
  }
  return (
    <form class="call-test" onSubmit={submit} aria-label="Test a call">
      <ServiceInput label="May" value={source} onInput={setSource} />
      <ServiceInput label="call" value={destination} onInput={setDestination} />
      <button type="submit" disabled={source.trim() === '' || destination.trim() === ''}>
        Test
      </button>
      <p class="verdict" role="status">
        {isAsked ? <Verdict checked={checked} /> : 'Enter two services to see what decides.'}
      </p>
    </form>
  )
}

function Verdict({ checked }: { readonly checked: Fetched<Checked> }): JSX.Element | null {
  const { data, fault } = checked
  if (fault !== undefined) return <Status health="critical" text={visibleText(fault.message)} />
  if (data === undefined) return null
  const { Allowed, DecidedBy, Intention } = data
  const asked = parameters.value
  const pair = `${asked.get('source') ?? ''} → ${asked.get('destination') ?? ''}`
  return (
    <>
      <Status
        health={Allowed ? 'passing' : 'critical'}
        text={`${visibleText(pair)} is ${Allowed ? 'allowed' : 'denied'}`}
      />
      <span>
        {Intention !== null && (
          <>
            by{' '}
            <a href={pathTo('intentions', Intention.ID)}>
              <bdi>{visibleText(pairText(Intention))}</bdi>
            </a>
            , precedence {Intention.Precedence}
          </>
        )}
        {Intention === null && DecidedBy === 'default' && 'by default: no intention is about them'}
        {Intention === null &&
          DecidedBy !== 'default' &&
          'The token may not read the intention that decides.'}
      </span>
    </>
  )
}
