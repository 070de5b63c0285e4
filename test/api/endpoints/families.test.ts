import t from 'tap'
import { endpoints } from '../../../src/api/endpoints/families.ts'
import { methodsOf } from '../../../src/http/endpoint.ts'
import type { Resource } from '../../../src/access/rules/resource.ts'
import { permissionsOf } from '../../../src/http/permissions.ts'
import { TestApi } from '../support.ts'

const resources: readonly Resource[] = [
  'acl',
  'agent',
  'event',
  'intention',
  'key',
  'keyring',
  'node',
  'operator',
  'query',
  'service',
  'session',
]

t.test('every endpoint names the rights that it needs, or why it needs none', async (t) => {
  t.ok(endpoints.length > 50, 'the rows were found')
  for (const row of endpoints) {
    const { permission } = row as { readonly permission?: typeof row.permission }
    const name = `${methodsOf(row).join(' ')} ${row.path}`
    t.ok(permission, `${name} has a permission`)
    if (permission === undefined) continue
    if ('none' in permission) {
      t.ok(permission.none.length > 10, `${name} gives a reason`)
      continue
    }
    const needs = permissionsOf(permission)
    t.ok(needs.length > 0, `${name} needs something`)
    for (const { resource, access } of needs) {
      t.ok(resources.includes(resource), `${name}: ${resource}`)
      // What changes something needs more than to read.
      const isWrite = !methodsOf(row).includes('GET')
      if (isWrite) t.equal(access, 'write', name)
      else if (resource !== 'acl') t.not(access, 'write', name)
    }
  }
})

t.test('no two rows answer the same method of the same path', async (t) => {
  const all = endpoints.flatMap((row) => methodsOf(row).map((method) => `${method} ${row.path}`))
  t.strictSame(all.length, new Set(all).size)
})

t.test('the methods of the rows of a path are those that it allows', async (t) => {
  const api = new TestApi(t)
  const byPath = new Map<string, string[]>()
  for (const row of endpoints) {
    byPath.set(row.path, [...(byPath.get(row.path) ?? ['OPTIONS']), ...methodsOf(row)])
  }
  for (const [path, methods] of byPath) {
    const url = path.replace(/\{\w+\}/, 'x')
    const { status, headers } = await api.ask('OPTIONS', url)
    t.strictSame([status, headers['allow']], [200, methods.join(',')], path)
    const other = (['PUT', 'GET'] as const).find((method) => !methods.includes(method))
    if (other === undefined) continue
    const refused = await api.ask(other, url)
    t.strictSame([refused.status, refused.headers['allow']], [405, methods.join(',')], path)
    t.equal(refused.body, `method ${other} not allowed`)
  }
})
