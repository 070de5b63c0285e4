import t from 'tap'
import { AclApi } from './acl-api.ts'

const x = (size: number): string => 'x'.repeat(size)
const list = <T>(size: number, of: (at: number) => T): readonly T[] =>
  Array.from({ length: size }, (_, at) => of(at))

interface Row {
  readonly field: string
  readonly max: number
  readonly path: string
  /** A body in which the field has this size; `number` makes its name unique. */
  readonly body: (size: number, number: number) => object
  /** What the refusal says. */
  readonly text: RegExp
}

const name = (number: number): object => ({ Name: `name-${number}` })
const datacenters = (size: number): readonly string[] => list(size, (at) => `dc${at}`)
const bytes = (field: string, max: number): RegExp =>
  new RegExp(`^400 Invalid ${field}: it has ${max + 1} bytes, and at most ${max} are allowed`)
const elements = (field: string, max: number): RegExp =>
  new RegExp(`^400 Invalid ${field}: it has ${max + 1} elements, and at most ${max} are allowed`)

/** Each field of tokens, policies and roles that is stored. */
const rows: readonly Row[] = [
  ...(['policy', 'role', 'token'] as const).map((path) => ({
    field: `description of a ${path}`,
    max: 4096,
    path,
    body: (n: number, number: number) => ({
      ...(path === 'token' ? {} : name(number)),
      Description: x(n),
    }),
    text: bytes('Description', 4096),
  })),
  {
    field: 'name of a policy',
    max: 128,
    path: 'policy',
    body: (n) => ({ Name: x(n) }),
    text: /^400 .*at most 128/,
  },
  {
    field: 'rules',
    max: 512 * 1024,
    path: 'policy',
    body: (n, number) => ({ ...name(number), Rules: `#${x(n - 1)}` }),
    text: /^400 The rules of a policy have 524289 bytes, and at most 524288 are allowed/,
  },
  {
    field: 'datacenters of a policy',
    max: 64,
    path: 'policy',
    body: (n, number) => ({ ...name(number), Datacenters: datacenters(n) }),
    text: elements('Datacenters', 64),
  },
  {
    field: 'name of a datacenter',
    max: 255,
    path: 'policy',
    body: (n, number) => ({ ...name(number), Datacenters: [x(n)] }),
    text: bytes(String.raw`Datacenters\[0\]`, 255),
  },
  {
    field: 'name of a role',
    max: 128,
    path: 'role',
    body: (n) => ({ Name: x(n) }),
    text: /^400 .*at most 128/,
  },
  {
    field: 'service identities',
    max: 1024,
    path: 'token',
    body: (n) => ({ ServiceIdentities: list(n, (at) => ({ ServiceName: `s${at}` })) }),
    text: elements('ServiceIdentities', 1024),
  },
  {
    field: 'datacenters of a service identity',
    max: 64,
    path: 'token',
    body: (n) => ({ ServiceIdentities: [{ ServiceName: 's', Datacenters: datacenters(n) }] }),
    text: elements('Datacenters', 64),
  },
  {
    field: 'node identities',
    max: 1024,
    path: 'role',
    body: (n, number) => ({
      ...name(number),
      NodeIdentities: list(n, (at) => ({ NodeName: `n${at}`, Datacenter: 'dc1' })),
    }),
    text: elements('NodeIdentities', 1024),
  },
  {
    field: 'datacenter of a node identity',
    max: 255,
    path: 'token',
    body: (n) => ({ NodeIdentities: [{ NodeName: 'n', Datacenter: x(n) }] }),
    text: bytes('Datacenter', 255),
  },
  {
    field: 'policies of a token',
    max: 1024,
    path: 'token',
    body: (n) => ({ Policies: list(n, () => ({ Name: 'global-management' })) }),
    text: elements('Policies', 1024),
  },
  {
    field: 'roles of a token',
    max: 1024,
    path: 'token',
    body: (n) => ({ Roles: list(n, () => ({ Name: 'one' })) }),
    text: elements('Roles', 1024),
  },
]

t.test(
  'each field of tokens, policies and roles is taken at its limit and not above',
  async (t) => {
    const acl = new AclApi(t)
    t.type(await acl.ask('PUT', 'role', { Name: 'one' }), 'object')
    for (const [at, { field, max, path, body, text }] of rows.entries()) {
      const taken = await acl.ask('PUT', path, body(max, 2 * at))
      t.type(taken, 'object', `${field}: ${JSON.stringify(taken).slice(0, 200)}`)
      const refused = await acl.ask('PUT', path, body(max + 1, 2 * at + 1))
      t.match(refused, text, `${field}: ${JSON.stringify(refused).slice(0, 200)}`)
    }
  },
)
