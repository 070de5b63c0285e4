import type { Logger } from '../base/log.ts'
import { watchdogMs } from './notify-message.ts'
import type { Assignments } from './notify-message.ts'
import { NotifySocket } from './notify-socket.ts'

/** The variables by which a service manager says that it wants messages. */
const variables = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const

/** Signs of life per watchdog interval: a sign that is left out once must not end the process. */
const signsPerInterval = 4
/** The replica thread reports once per second; a machine under load may delay that. */
const silenceMsMin = 5000

interface Channel {
  readonly send: (assignments: Assignments) => void
  /** Undefined: the service manager waits for no signs of life. */
  readonly watchdogMs: number | undefined
}

/**
 * Tells the service manager that started this process (systemd, `Type=notify`) what the agent does. Without
 * one, nothing happens.
 */
export class ServiceManager {
  readonly #channel: Channel | undefined
  #isReady = false
  #isStopping = false
  #status = ''
  #watchdog: NodeJS.Timeout | undefined

  constructor(channel: Channel | undefined) {
    this.#channel = channel
  }

  /** The one that `env` names. Its variables are removed: they are not meant for the agent's own children. */
  static of(env: NodeJS.ProcessEnv, logger: Logger): ServiceManager {
    const socket = env['NOTIFY_SOCKET'] ?? ''
    const limitMs = watchdogMs(env, process.pid)
    for (const name of variables) delete env[name]
    if (socket === '') return new ServiceManager(undefined)
    let failures = 0
    const notify = new NotifySocket({
      socket,
      // It would be logged with every sign of life.
      onFailure: (reason) =>
        logger[failures++ === 0 ? 'warn' : 'debug'](
          { socket, reason },
          'the service manager could not be notified',
        ),
    })
    return new ServiceManager({ send: (it) => notify.send(it), watchdogMs: limitMs })
  }

  /** One line about the agent, as `systemctl status` shows it. */
  status(text: () => string): void {
    if (this.#channel === undefined) return
    const status = text()
    if (status === this.#status) return
    this.#status = status
    this.#send({ STATUS: status })
  }

  ready(): void {
    this.#isReady = true
    this.#send({ READY: '1' })
  }

  stopping(): void {
    this.#send({ STOPPING: '1', STATUS: 'Stopping' })
    this.#isStopping = true
    clearInterval(this.#watchdog)
  }

  /** Wraps a reload: the service manager is told when it starts and when it has finished. */
  around<T>(reload: () => Promise<T>): () => Promise<T> {
    return async () => {
      if (this.#isReady) this.#send({ RELOADING: '1', MONOTONIC_USEC: monotonicMicroseconds() })
      try {
        return await reload()
      } finally {
        if (this.#isReady) this.#send({ READY: '1' })
      }
    }
  }

  /**
   * Gives signs of life as often as the service manager wants them, as long as the event loop of this
   * thread turns and `isAlive` confirms that the others do.
   */
  watch(isAlive: (silenceMs: number) => boolean): void {
    const limitMs = this.#channel?.watchdogMs
    if (limitMs === undefined) return
    const silenceMs = Math.max(limitMs / 2, silenceMsMin)
    this.#watchdog = setInterval(() => {
      if (isAlive(silenceMs)) this.#send({ WATCHDOG: '1' })
    }, limitMs / signsPerInterval)
    this.#watchdog.unref()
  }

  #send(assignments: Assignments): void {
    if (!this.#isStopping) this.#channel?.send(assignments)
  }
}

/** Since the start of the machine, by CLOCK_MONOTONIC, as systemd compares it. */
function monotonicMicroseconds(): string {
  return String(process.hrtime.bigint() / 1000n)
}
