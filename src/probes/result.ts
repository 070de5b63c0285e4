import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import { clipOutput } from '../health/check.ts'
import { isOutOfDescriptors } from '../process/descriptor-limit.ts'
import type { CheckStatus, CheckTold } from '../health/check.ts'

export interface ProbeResult {
  readonly status: CheckStatus
  readonly output: string
  /**
   * What the status rests on. 'none': no probe could be made here (out of descriptors or ports); it
   * says nothing about the service.
   */
  readonly evidence: CheckTold['evidence'] | 'none'
}

/** The certificate that a probe shows to a service that asks for one, PEM. */
export interface ProbeCredentials {
  /** The authorities to trust in place of the system's. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Codes by which this host, not the probed one, says no. */
const localErrors = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN'])
/** Codes by which nothing was heard from the probed one. */
const silence = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'EPERM',
  'EACCES',
])

/** Names whose look-up failed: without a descriptor for its question it fails in the same words. */
const unresolved = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_SYSTEM'])

function isLocal({ code = '' }: NodeJS.ErrnoException): boolean {
  return localErrors.has(code) || (unresolved.has(code) && isOutOfDescriptors())
}

/** What an error of a socket says of the service. */
export function failedProbe(target: string, error: NodeJS.ErrnoException): ProbeResult {
  if (isLocal(error)) {
    return critical(`${target}: not probed: ${error.message}`, 'none')
  }
  // The other errors were caused by the probed host: refused, reset, a bad certificate, another
  // protocol.
  return critical(`${target}: ${messageOf(error)}`, isSilence(error) ? 'absence' : 'proof')
}

export function critical(output: string, evidence: ProbeResult['evidence']): ProbeResult {
  return { status: 'critical', output: clipOutput(output), evidence }
}

export function passing(output: string): ProbeResult {
  return { status: 'passing', output: clipOutput(output), evidence: 'proof' }
}

export interface ProbeRun {
  readonly target: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** The result when no answer came in time; critical by absence unless given. */
  readonly onTimeout?: () => ProbeResult
}

/**
 * Runs one probe to its first result, its time-out, or its abort. `start` begins it and returns what
 * ends it; that is called once, whatever the result. Never rejects.
 */
export function runProbe(
  { target, timeoutMs, signal, onTimeout }: ProbeRun,
  start: (end: (result: ProbeResult) => void) => () => void,
): Promise<ProbeResult> {
  if (signal?.aborted === true) return Promise.resolve(stoppedProbe(target))
  return new Promise((resolve) => {
    let hasEnded = false
    let stop: (() => void) | undefined
    const end = (result: ProbeResult): void => {
      if (hasEnded) return
      hasEnded = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      stop?.()
      resolve(result)
    }
    const onAbort = (): void => end(stoppedProbe(target))
    const timer = setTimeout(() => {
      const late = `${target}: no answer within ${formatDuration(timeoutMs)}`
      end(onTimeout?.() ?? critical(late, 'absence'))
    }, timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const stopStarted = start(end)
      if (hasEnded) stopStarted()
      else stop = stopStarted
    } catch (error) {
      // What the runtime refuses to ask at all: the definition is wrong, and it stays critical.
      end(critical(`${target}: ${reasonOf(error)}`, 'proof'))
    }
  })
}

function stoppedProbe(target: string): ProbeResult {
  return critical(`${target}: the probe was stopped`, 'none')
}

/** Happy eyeballs reports several failures as one; it is silence only if all of them are. */
function isSilence(error: NodeJS.ErrnoException): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((inner) => isSilence(inner as NodeJS.ErrnoException))
  }
  return silence.has(error.code ?? '')
}

function messageOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map((inner) => reasonOf(inner)).join(', ')
  }
  return reasonOf(error)
}
