import type { OptionRow } from './option-row.ts'

/** The web UI; rows of the options table. */
export const uiOptions = {
  ui: {
    kind: 'boolean',
    default: true,
    flag: 'ui',
    file: 'ui_config.enabled',
    group: 'Network',
    description:
      'Serve the web UI at /ui/ on the HTTP ports. It has the rights of the token that you enter in it. -ui=false turns it off.',
  },
} as const satisfies Record<string, OptionRow>
