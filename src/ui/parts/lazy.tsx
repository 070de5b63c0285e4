import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiFault } from '../data/api.ts'
import { Fault, Waiting } from './note.tsx'

type Component<Props> = (props: Props) => JSX.Element

/** A component whose code is loaded when it is shown for the first time. */
export function lazy<Props extends object>(
  load: () => Promise<Component<Props>>,
): Component<Props> {
  const loaded = signal<Component<Props> | undefined>(undefined)
  return function Lazy(props) {
    const [isBroken, setBroken] = useState(false)
    useEffect(() => {
      if (loaded.peek() !== undefined) return
      load().then(
        (component) => {
          loaded.value = component
        },
        () => setBroken(true),
      )
    }, [])
    const Loaded = loaded.value
    if (Loaded !== undefined) return <Loaded {...props} />
    return isBroken ? <Fault fault={notLoaded} /> : <Waiting />
  }
}

const notLoaded = new ApiFault(
  0,
  'This page could not be loaded. Reload it: the agent may be stopped, or have another version.',
)
