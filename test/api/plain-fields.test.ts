import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { fileServiceShape } from '../../src/definition/definition-shapes.ts'
import { agentService } from '../../src/definition/agent-registration.ts'
import { plainRows } from '../../src/state/catalog/service-fields.ts'
import { stateVersion } from '../../src/state/families.ts'
import { TestApi } from './support.ts'

const samples = { text: 'a b', whole: 7, flag: true } as const

const given = Object.fromEntries(plainRows.map(({ json, kind }) => [json, samples[kind]]))
const prefixed = Object.fromEntries(
  Object.entries(given).map(([json, value]) => [`Service${json}`, value]),
)
const later = plainRows.filter(({ since }) => since > 1)

type Json = Readonly<Record<string, unknown>>

t.test('each plain field of a service is stored, answered and filtered by', async (t) => {
  const api = new TestApi(t)
  api.backend.apply({ kind: 'use-format', format: stateVersion })
  await api.put('agent/service/register', { Name: 'own', ...given })
  const Service = { Service: 'web', ...given }
  await api.put('catalog/register', { Node: 'n1', Address: '10.0.0.1', Service })
  t.match(await api.json('agent/services'), { own: given })
  t.match(await api.json('catalog/service/web'), [prefixed])
  t.match(await api.json('health/service/web'), [{ Service: given }])
  t.match(await api.json('catalog/node/n1'), { Services: { web: given } })
  for (const [json, value] of Object.entries(given)) {
    const count = async (path: string, name: string, wanted: unknown): Promise<number> => {
      const filter = encodeURIComponent(`${name} == ${JSON.stringify(wanted)}`)
      const rows = await api.json<readonly unknown[]>(`${path}?filter=${filter}`)
      return rows.length
    }
    t.equal(await count('catalog/service/web', `Service${json}`, value), 1, json)
    t.equal(await count('health/service/web', `Service.${json}`, value), 1, json)
    const other = typeof value === 'boolean' ? !value : typeof value === 'number' ? 8 : 'c'
    t.equal(await count('catalog/service/web', `Service${json}`, other), 0, json)
  }
})

t.test('a service without them has their defaults, and later fields are left out', async (t) => {
  const api = new TestApi(t)
  await api.put('catalog/register', {
    Node: 'n1',
    Address: '10.0.0.1',
    Service: { Service: 'web' },
  })
  const [row] = await api.json<readonly Json[]>('catalog/service/web')
  t.match(row, { ServiceEnableTagOverride: false })
  for (const { json } of later) t.notOk(`Service${json}` in must(row), json)
})

t.test('definition files have them, in snake_case as well', async (t) => {
  const snake = (name: string) => name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  const inSnake = Object.fromEntries(Object.entries(given).map(([json, at]) => [snake(json), at]))
  const { definition } = agentService(fileServiceShape({ name: 'web', ...inSnake }, ''), 'file')
  const wanted = Object.fromEntries(plainRows.map(({ name, kind }) => [name, samples[kind]]))
  t.match(definition.service, wanted)
})
