import { hasFields, isText, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { dnsCookieFormat } from './schema.ts'

/** Puts a new secret in the place of the present one, which is still accepted for a while. */
export interface DnsCookieRotateCommand {
  readonly kind: 'dns-cookie-rotate'
  /** 16 random octets, as hexadecimal digits. */
  readonly secret: string
  /** Only if the present secret took its place at this time; 0: if there is none. */
  readonly sinceMs: number
}

/** For a restore: the secrets as they were. */
export interface DnsCookieSetCommand {
  readonly kind: 'dns-cookie-set'
  readonly secret: string
  readonly previous: string
  readonly rotatedMs: number
}

/** For a restore: there was no secret. */
export interface DnsCookieResetCommand {
  readonly kind: 'dns-cookie-reset'
}

export type DnsCookieCommand = DnsCookieRotateCommand | DnsCookieSetCommand | DnsCookieResetCommand

const isSecret: Shape = (value) => isText(value) && /^[0-9a-f]{32}$/.test(String(value))
const isPrevious: Shape = (value) => value === '' || isSecret(value)

// What a command changes is never told: it is a secret.
const row = { since: dnsCookieFormat, about: () => ({}) }

export const dnsCookieCommands: Readonly<Record<DnsCookieCommand['kind'], CommandKind>> = {
  'dns-cookie-rotate': { ...row, shape: hasFields({ secret: isSecret, sinceMs: isWhole }) },
  'dns-cookie-set': {
    ...row,
    shape: hasFields({ secret: isSecret, previous: isPrevious, rotatedMs: isWhole }),
  },
  'dns-cookie-reset': { ...row, shape: hasFields({}) },
}
