import { hasFields, isText } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { demoFormat } from './tables.ts'

/** Sets a note; '' removes it. */
export interface DemoCommand {
  readonly kind: 'demo-set'
  readonly name: string
  readonly text: string
}

export const demoCommands: Readonly<Record<DemoCommand['kind'], CommandKind>> = {
  'demo-set': { since: demoFormat, shape: hasFields({ name: isText, text: isText }) },
}
