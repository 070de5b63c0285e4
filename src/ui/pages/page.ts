import type { JSX } from 'preact'
import type { IconName } from '../parts/icon.tsx'
import type { PathValues } from '../core/route.ts'

/** One page of the UI. */
export interface Page {
  /** Below /ui/: `services/:name`. */
  readonly path: string
  /** For the title of the window. */
  readonly title: (values: PathValues) => string
  readonly content: (values: PathValues) => JSX.Element
  /** Whether the box in the header filters this page; otherwise Enter looks for services. */
  readonly isSearched?: true
  /** Its entry in the navigation; left out = other pages link to it. */
  readonly entry?: {
    readonly title: string
    readonly icon: IconName
    /** `g` and this letter lead here. */
    readonly key: string
  }
}
