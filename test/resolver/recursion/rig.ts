import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import root, { type Test } from 'tap'
import { assert, must } from '../../../src/base/assert.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { defaultZone } from '../../../src/dns/zone.ts'
import { parseRecursor } from '../../../src/config/recursors.ts'
import { decodeReply } from '../../../src/net/dns-client.ts'
import type { DnsReply } from '../../../src/net/dns-client.ts'
import type { RecursionOptions } from '../../../src/resolver/recursion/recursor-worker.ts'
import { DnsService } from '../../../src/resolver/service.ts'
import type { DnsServiceOptions } from '../../../src/resolver/service.ts'
import { SharedMode } from '../../../src/resolver/threads/messages.ts'
import { Replica } from '../../../src/replica/replica.ts'
import { openVersions, type CommandBody } from '../../../src/state/families.ts'
import { buildQuery } from '../../dns/fixture.ts'
import { registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { openGate } from '../../helpers/open-gate.ts'
import { loneServer } from '../../helpers/replica-settings.ts'

export interface RecursionRig {
  readonly dns: DnsService
  readonly port: number
  readonly recursorThread: Worker
  readonly dnsThread: Worker
  readonly register: (name: string, address: string) => Promise<void>
  /** One query over UDP. */
  readonly ask: (name: string, type?: string, options?: AskOptions) => Promise<Answered>
}

export interface AskOptions {
  readonly edns?: number
  /** Changes the query before it is sent. */
  readonly edit?: (query: Buffer) => void
  readonly timeoutMs?: number
}

export type Answered = DnsReply & { readonly raw: Buffer }

let lastId = 0

interface Catalog {
  readonly statePath: string
  readonly versions: ReturnType<typeof openVersions>
  readonly replica: Replica
}

let shared: Promise<Catalog> | undefined

/** One for all tests of a file: it takes as long to start as all the rest. Each test removes what it registered. */
function sharedCatalog(): Promise<Catalog> {
  shared ??= startCatalog()
  return shared
}

async function startCatalog(): Promise<Catalog> {
  const dataDirectory = root.testdir()
  const versions = openVersions()
  const replica = await Replica.start({
    dataDirectory,
    versions,
    logger: silentLogger,
    onDeath: (error) => root.fail(error.message),
    onApplied: () => {},
    onStatus: () => {},
    settings: loneServer,
  })
  root.teardown(() => replica.stop())
  return { statePath: join(dataDirectory, 'state.db'), versions, replica }
}

/** DNS over the catalog of a real replica, with recursion through `servers`. */
export async function startRecursion(
  t: Test,
  servers: readonly string[],
  options: Partial<RecursionOptions> = {},
  more: Partial<DnsServiceOptions> = {},
): Promise<RecursionRig> {
  const { statePath, versions, replica } = await sharedCatalog()
  const propose = async (command: CommandBody): Promise<void> =>
    assert((await replica.propose(command, { actor: 'test', cause: 'test' })).ok, command.kind)
  let hasRegistered = false
  t.teardown(async () => {
    if (hasRegistered) await propose({ kind: 'deregister', nodeName: 'n1' })
  })
  const mode = new SharedMode()
  mode.value = 'ready'
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const dns = await DnsService.start({
    answering: {
      statePath,
      versions: versions.buffer,
      mode: mode.buffer,
      zone: { ...defaultZone(['consul'], 'dc1'), nodeTtl: 5 },
      onlyPassing: false,
      nodeName: 'n1',
      udpSizeMax: 1232,
    },
    addresses: ['127.0.0.1'],
    port: 0,
    path: 'auto',
    threads: 1,
    tcpGate: openGate(),
    logger: silentLogger,
    onSuspicion: () => {},
    onDeath: (error) => t.fail(error.message),
    recursion: {
      servers: servers.map((text) => must(parseRecursor(text))),
      strategy: 'sequential',
      timeoutMs: 10_000,
      ca: undefined,
      cacheBytesMax: 2 ** 20,
      allow: ['127.0.0.0/8'],
      ...options,
    },
    ...more,
  })
  process.off('worker', onWorker)
  t.teardown(() => dns.stop())
  const { port } = must(dns.endpoints[0])
  return {
    dns,
    port,
    // The service starts it before the others.
    recursorThread: must(workers[0]),
    dnsThread: must(workers[1]),
    register: async (name, address) => {
      const service = serviceDefinition(name, { id: `${name}-1`, address, port: 80 })
      const node = { name: 'n1', id: '', address: '10.0.0.1', taggedAddresses: {}, meta: {} }
      hasRegistered = true
      await propose(registerCommand('n1', { service, node }))
    },
    ask: (name, type = 'A', how = {}) => askUdp(port, name, type, how),
  }
}

async function askUdp(
  port: number,
  name: string,
  type: string,
  { edns, edit, timeoutMs = 60_000 }: AskOptions,
): Promise<Answered> {
  const socket = createSocket('udp4')
  try {
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const query = buildQuery(name, type, { id: ++lastId & 0xffff, edns })
    edit?.(query)
    socket.send(query)
    const signal = AbortSignal.timeout(timeoutMs)
    const [raw] = (await once(socket, 'message', { signal })) as [Buffer]
    return { ...decodeReply(raw), raw }
  } finally {
    socket.close()
  }
}

/** The INFO-CODEs of RFC 8914 in an answer whose last record is OPT. */
export function extendedErrorsIn(raw: Buffer): number[] {
  const at = raw.lastIndexOf(Buffer.from([0, 0, 41]))
  const codes: number[] = []
  const length = raw.readUInt16BE(at + 9)
  for (let option = at + 11; option < at + 11 + length;) {
    if (raw.readUInt16BE(option) === 15) codes.push(raw.readUInt16BE(option + 4))
    option += 4 + raw.readUInt16BE(option + 2)
  }
  return codes
}
