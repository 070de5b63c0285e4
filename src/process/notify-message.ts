// What a service sends to its service manager (systemd), as sd_notify(3) describes it. Pure.

/** Assignments by name, such as `READY=1`. */
export type Assignments = Readonly<Record<string, string>>

/** One assignment per line; a value cannot contain a line break. */
export function notifyLines(assignments: Assignments): readonly string[] {
  return Object.entries(assignments).map(
    ([name, value]) => `${name}=${value.replaceAll(/\s*[\r\n]\s*/g, ' ')}`,
  )
}

/** The address family AF_UNIX as the structure `sockaddr_un` starts with it, on a little-endian machine. */
const family = [1, 0] as const
const pathBytesMax = 108

/**
 * The `sockaddr_un` for a value of NOTIFY_SOCKET: an absolute path, or an abstract name, which is
 * written with a leading `@`. Undefined for other kinds, such as `vsock:`, and for names that are too long.
 */
export function unixAddress(socket: string): Uint8Array | undefined {
  const isAbstract = socket.startsWith('@')
  if (!isAbstract && !socket.startsWith('/')) return undefined
  // An abstract name starts with a zero byte instead of `@`; a path ends with one.
  const name = Buffer.from(isAbstract ? `\0${socket.slice(1)}` : `${socket}\0`)
  if (name.length > pathBytesMax) return undefined
  return Uint8Array.from([...family, ...name])
}

/**
 * How long the service manager waits for a sign of life from this process, in milliseconds, from
 * WATCHDOG_USEC. Undefined if it waits for none, or for one from another process (WATCHDOG_PID).
 */
export function watchdogMs(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const owner = env['WATCHDOG_PID'] ?? ''
  if (owner !== '' && owner !== String(pid)) return undefined
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '')
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : undefined
}
