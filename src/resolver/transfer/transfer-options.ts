import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { TransferRule } from '../../transfer/access.ts'
import type { TsigKey } from '../../transfer/tsig/keys.ts'
import type { DnsAnswering } from '../threads/messages.ts'

/** A server that has copies of zones, and is told when they change. */
export interface Secondary {
  readonly address: string
  readonly port: number
  readonly key: TsigKey | undefined
}

/** As configured. */
export interface TransferOptions {
  readonly allow: readonly TransferRule[]
  readonly secondaries: readonly Secondary[]
  /** Where images of zones are written. */
  readonly directory: string
  readonly clock: Clock
}

export interface TransferParts extends TransferOptions {
  readonly answering: DnsAnswering
  readonly logger: Logger
  /** A read met what looks like damage of state.db. */
  readonly onSuspicion: (reason: string) => void
}

export interface TransferFigures {
  /** Transfers by their end. */
  readonly results: Readonly<Record<TransferResult, number>>
  readonly running: number
  readonly bytes: number
  readonly notifies: Readonly<Record<NotifyResult, number>>
}

/** `aborted`: the client has closed the connection, or read nothing for a minute. */
export type TransferResult = 'completed' | 'unchanged' | 'refused' | 'failed' | 'aborted'
export type NotifyResult = 'sent' | 'acknowledged' | 'refused' | 'unanswered'
