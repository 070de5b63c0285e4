import { fromFieldText } from '../base/http-field.ts'
/** The choices of {@link Client.ask}. */
export interface AskOptions {
  readonly body?: Uint8Array | undefined
  /** Ends the request. It then rejects with `agent-unreachable`. */
  readonly signal?: AbortSignal | undefined
  /** How long the agent may hold the answer back: the `wait` of a blocking query. Default 0. */
  readonly waitMs?: number | undefined
}

/** What limits one request. */
export interface RequestLimits {
  readonly signal?: AbortSignal
  /** How long the agent may hold the answer back. */
  readonly waitMs?: number
}

/** An answer with all of its text. */
export interface WholeAnswer {
  readonly text: string
  /** The value of a header field. */
  header(name: string): string | undefined
}

/** What the agent warns of, in its words; most often nothing. */
export function warningsOf(answer: Pick<WholeAnswer, 'header'>): readonly string[] {
  const warnings = answer.header('X-Svcd-Warning') ?? ''
  return warnings === '' ? [] : warnings.split('; ').map(fromFieldText)
}
