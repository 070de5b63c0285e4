#!/usr/bin/env node
// Copies the catalog of a Consul datacenter into svcd, so that both answer the same while you move.
// docs/moving-from-consul.md shows when to use it. It needs Node.js 20 or later and no packages.
//
//   node copy-from-consul.mjs --from http://127.0.0.1:8500 --to http://127.0.0.1:8510
//   node copy-from-consul.mjs --from http://127.0.0.1:8500 --to http://127.0.0.1:8510 --every 5
//   node copy-from-consul.mjs --to http://127.0.0.1:8510 --remove
//
// The first line copies once, the second every 5 seconds, the third removes all copies. The script sends
// CONSUL_HTTP_TOKEN to Consul. Each copy has the metadata copied-from=consul; the script never changes or
// removes anything else. When an instance is registered with svcd itself as well (same service name, address
// and port), its copy goes as soon as svcd's own checks of it are not critical, and does not come back.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    from: { type: 'string', default: 'http://127.0.0.1:8500' },
    to: { type: 'string', default: 'http://127.0.0.1:8510' },
    every: { type: 'string' },
    remove: { type: 'boolean', default: false },
  },
})

/** Prints its line even if nothing had to change. */
const isOnce = options.every === undefined || options.remove
const copied = { 'copied-from': 'consul' }
const isCopy = ({ Meta }) => Meta?.['copied-from'] === 'consul'

async function request(base, path, body) {
  const token = process.env.CONSUL_HTTP_TOKEN ?? ''
  const headers = base === options.from && token !== '' ? { 'X-Consul-Token': token } : {}
  const write = body === undefined ? {} : { method: 'PUT', body: JSON.stringify(body) }
  const response = await fetch(`${base}/v1/${path}`, { headers, ...write }).catch((error) => {
    throw new Error(`${base} does not answer: ${error.cause?.message ?? error.message}`)
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${base}/v1/${path}: ${response.status} ${text.trim()}`)
  return JSON.parse(text)
}

/** Nodes by name, each with its services by ID and a list of its checks. */
async function catalogOf(base) {
  const nodes = new Map()
  for (const node of await request(base, 'catalog/nodes')) {
    const found = await request(base, `catalog/node/${encodeURIComponent(node.Node)}`)
    nodes.set(node.Node, { ...node, services: found?.Services ?? {}, checks: [] })
  }
  for (const check of await request(base, 'health/state/any')) {
    nodes.get(check.Node)?.checks.push(check)
  }
  return nodes
}

const placeOf = (node, { Service, Address, Port }) =>
  `${Service} at ${Address === '' ? node.Address : Address} port ${Port}`

/** Consul and svcd reserve the keys that begin with consul-. */
const marked = (meta) => ({
  ...Object.fromEntries(Object.entries(meta ?? {}).filter(([key]) => !key.startsWith('consul-'))),
  ...copied,
})

function serviceRow({ ID, Service, Address, Port, Tags, Meta, Weights, TaggedAddresses }) {
  return {
    ID,
    Service,
    Address,
    Port,
    Tags: Tags ?? [],
    Meta: marked(Meta),
    Weights,
    TaggedAddresses,
  }
}

function checkRow({ CheckID, Name, Status, Notes, Output, ServiceID, Type }) {
  return { CheckID, Name, Status, Notes, Output, ServiceID: ServiceID ?? '', Type: Type ?? '' }
}

/** The bodies for catalog/register, by node and service ID; the ID of a node's own row is ''. */
function wantedRows(consul, svcd, servers) {
  /** The instances that svcd has itself: whether they are healthy, by their place. */
  const registered = new Map()
  for (const node of svcd.values()) {
    for (const service of Object.values(node.services)) {
      const deciding = node.checks.filter(({ ServiceID = '' }) =>
        ['', service.ID].includes(ServiceID),
      )
      const isHealthy = deciding.every(({ Status }) => Status !== 'critical')
      if (!isCopy(service)) registered.set(placeOf(node, service), isHealthy)
    }
  }
  const rows = new Map()
  for (const node of consul.values()) {
    const { Node, Address } = node
    const before = svcd.get(Node)
    // A server of svcd, or a node that somebody else registered, stays as it is.
    const isKept = servers.has(Node) || (before !== undefined && !isCopy(before))
    const checksOf = (id) => node.checks.map(checkRow).filter(({ ServiceID }) => ServiceID === id)
    const nodeRow = { Node, Address, NodeMeta: marked(node.Meta) }
    if (!isKept) rows.set(`${Node}/`, { ...nodeRow, Checks: checksOf('') })
    for (const service of Object.values(node.services)) {
      const isOfMesh = (service.Kind ?? '') !== ''
      if (service.Service === 'consul' || isOfMesh) continue
      const isHealthy = registered.get(placeOf(node, service))
      const hasCopy = isCopy(before?.services[service.ID] ?? {})
      if (isHealthy === true || (isHealthy === false && !hasCopy)) continue
      const head = isKept ? { Node, SkipNodeUpdate: true } : nodeRow
      const Service = serviceRow(service)
      rows.set(`${Node}/${service.ID}`, { ...head, Service, Checks: checksOf(service.ID) })
    }
  }
  return rows
}

/** The bodies for catalog/deregister: the copies that are not wanted any more. */
function unwanted(svcd, rows) {
  const bodies = []
  for (const node of svcd.values()) {
    const { Node } = node
    const services = Object.values(node.services)
    if (isCopy(node) && !rows.has(`${Node}/`) && services.every(isCopy)) {
      bodies.push({ Node })
      continue
    }
    const gone = services.filter((each) => isCopy(each) && !rows.has(`${Node}/${each.ID}`))
    bodies.push(...gone.map(({ ID }) => ({ Node, ServiceID: ID })))
    for (const { CheckID, ServiceID = '' } of node.checks) {
      const owner = ServiceID === '' ? node : (node.services[ServiceID] ?? {})
      // The checks of a service that goes, go with it.
      if (!isCopy(owner) || gone.includes(owner)) continue
      const kept = rows.get(`${Node}/${ServiceID}`)?.Checks ?? []
      if (!kept.some((check) => check.CheckID === CheckID)) bodies.push({ Node, CheckID })
    }
  }
  return bodies
}

/** The outputs of checks change all the time, so they are not compared. */
const essenceOf = (row) => JSON.stringify(row, (key, value) => (key === 'Output' ? null : value))
/** What this process has written, by key. */
const written = new Map()

function isThere(svcd, { Node, Service }) {
  const node = svcd.get(Node)
  return node !== undefined && (Service === undefined || node.services[Service.ID] !== undefined)
}

/** Copies once; resolves with the number of failures. */
async function copy() {
  const svcd = await catalogOf(options.to)
  let rows = new Map()
  if (!options.remove) {
    const consul = await catalogOf(options.from)
    if (consul.size === 0) throw new Error(`${options.from} has no nodes. Nothing was changed.`)
    const members = await request(options.to, 'agent/members')
    rows = wantedRows(consul, svcd, new Set(members.map(({ Name }) => Name)))
  }
  const failures = []
  const put = (path, body) =>
    request(options.to, path, body).catch((error) => failures.push(error.message))
  const changed = [...rows].filter(
    ([key, row]) => written.get(key) !== essenceOf(row) || !isThere(svcd, row),
  )
  for (const [key, row] of changed) {
    const failed = failures.length
    await put('catalog/register', row)
    if (failures.length === failed) written.set(key, essenceOf(row))
  }
  const gone = unwanted(svcd, rows)
  for (const body of gone) await put('catalog/deregister', body)
  if (isOnce || changed.length + gone.length > 0) {
    console.log(
      `${new Date().toISOString()} copied: ${changed.length}, removed: ${gone.length}, failed: ${failures.length}`,
    )
  }
  for (const failure of failures) console.error(`  ${failure}`)
  return failures.length
}

function report({ message }) {
  console.error(`${new Date().toISOString()} ${message}`)
}

if (isOnce) {
  process.exitCode = (await copy().catch(report)) === 0 ? 0 : 1
} else {
  for (;;) {
    await copy().catch(report)
    await pause(Number(options.every) * 1000)
  }
}
