import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { missing, notRoot } from './tools.ts'

const run = promisify(execFile)

/** A host of its own: a network namespace with one address. */
export interface NamespaceHost {
  readonly namespace: string
  readonly address: string
  /** A command's prefix that runs it there. */
  readonly wrapper: readonly string[]
}

/** A reason to skip where no namespaces can be made, for tap's `skip` option. */
export function noNamespaces(): string | false {
  return missing('ip', 'iptables') || notRoot()
}

/** Hosts on one switch, which the test's own host is on as well. */
export class Namespaces {
  readonly hosts: readonly NamespaceHost[]
  readonly #bridge: string

  private constructor(bridge: string, hosts: readonly NamespaceHost[]) {
    this.#bridge = bridge
    this.hosts = hosts
  }

  /** `size` hosts, at 10.79.N.1 and so on; N differs between processes that run at once. */
  static async create(size: number): Promise<Namespaces> {
    const net = `10.79.${process.pid % 256}`
    const bridge = `svcd${process.pid}`
    const hosts = Array.from({ length: size }, (_, at) => {
      const namespace = `svcd${process.pid}-n${at + 1}`
      const wrapper = ['ip', 'netns', 'exec', namespace]
      return { namespace, address: `${net}.${at + 1}`, wrapper }
    })
    const made = new Namespaces(bridge, hosts)
    await run('ip', ['link', 'add', bridge, 'type', 'bridge'])
    await run('ip', ['address', 'add', `${net}.254/24`, 'dev', bridge])
    await run('ip', ['link', 'set', bridge, 'up'])
    for (const [at, { namespace, address }] of hosts.entries()) {
      const outer = `sv${process.pid}n${at + 1}`
      await run('ip', ['netns', 'add', namespace])
      const pair = ['type', 'veth', 'peer', 'name', 'wire', 'netns', namespace]
      await run('ip', ['link', 'add', outer, 'master', bridge, ...pair])
      await run('ip', ['link', 'set', outer, 'up'])
      await made.inside(at, 'ip', 'address', 'add', `${address}/24`, 'dev', 'wire')
      await made.inside(at, 'ip', 'link', 'set', 'wire', 'up')
      await made.inside(at, 'ip', 'link', 'set', 'lo', 'up')
    }
    return made
  }

  async inside(at: number, ...command: readonly string[]): Promise<void> {
    const [program = '', ...words] = [...(this.hosts[at]?.wrapper ?? []), ...command]
    await run(program, words)
  }

  /** What this host sends to `address` by TCP is answered with a reset, which the other side never sees. */
  rejectTcp(at: number, address: string): Promise<void> {
    return this.#rule('-A', at, address)
  }

  acceptTcp(at: number, address: string): Promise<void> {
    return this.#rule('-D', at, address)
  }

  async remove(): Promise<void> {
    for (const { namespace } of this.hosts) await run('ip', ['netns', 'delete', namespace])
    await run('ip', ['link', 'delete', this.#bridge])
  }

  #rule(action: '-A' | '-D', at: number, address: string): Promise<void> {
    const target = ['-j', 'REJECT', '--reject-with', 'tcp-reset']
    return this.inside(at, 'iptables', action, 'OUTPUT', '-d', address, '-p', 'tcp', ...target)
  }
}
