import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiFault } from '../data/api.ts'
import { Fault, Waiting } from './note.tsx'

type Component<Props> = (props: Props) => JSX.Element

/** A component whose code is loaded when it is shown for the first time. */
export function lazy<Props extends object>(
  load: () => Promise<Component<Props>>,
): Component<Props> {
  let loaded: Component<Props> | undefined
  return function Lazy(props) {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>('loading')
    useEffect(() => {
      // It may have been loaded between the first drawing and this effect, for the page before: then it is drawn again.
      if (loaded !== undefined) {
        setState('loaded')
        return
      }
      load().then(
        (component) => {
          loaded = component
          setState('loaded')
        },
        () => setState('failed'),
      )
    }, [])
    if (loaded !== undefined) {
      const Loaded = loaded
      return <Loaded {...props} />
    }
    if (state === 'failed') return <Fault fault={notLoaded} />
    return <Waiting />
  }
}

const notLoaded = new ApiFault(
  0,
  'This page could not be loaded. Reload it: the agent may be stopped, or have another version.',
)
