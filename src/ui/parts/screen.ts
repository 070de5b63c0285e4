import { signal } from '@preact/signals'
import type { Density } from '../data/preferences.ts'

/** How much room there is; style/tokens.css changes at the same widths. */
export type Screen = 'phone' | 'narrow' | 'wide'

const phone = window.matchMedia('(max-width: 599.9px)')
const narrow = window.matchMedia('(max-width: 899.9px)')

function screenNow(): Screen {
  if (phone.matches) return 'phone'
  return narrow.matches ? 'narrow' : 'wide'
}

export const screen = signal(screenNow())

const dark = window.matchMedia('(prefers-color-scheme: dark)')
const contrast = window.matchMedia('(prefers-contrast: more)')

function systemLookNow(): string {
  return `${String(dark.matches)} ${String(contrast.matches)}`
}

/** Changes with the colours that the system asks for; for what is drawn, because style sheets follow by themselves. */
export const systemLook = signal(systemLookNow())

for (const query of [dark, contrast]) {
  query.addEventListener('change', () => {
    systemLook.value = systemLookNow()
  })
}

for (const query of [phone, narrow]) {
  query.addEventListener('change', () => {
    screen.value = screenNow()
  })
}

/** The height of a row in pixels. On phones a row has two lines. */
export function rowPxOf(density: Density): number {
  if (screen.value === 'phone') return 56
  return density === 'compact' ? 28 : 36
}
