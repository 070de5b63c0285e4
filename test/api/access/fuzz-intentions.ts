import {
  filtered,
  needs,
  ofIntentions,
  readsIntention,
  service,
  writesIntention,
} from './fuzz-requests.ts'
import { intentionBody, intentionPair } from './fuzz-world.ts'
import type { Case } from './fuzz-requests.ts'
import { nameOf } from '../../helpers/plain-rules.ts'

const path = 'connect/intentions'

function exact(suffix: string): string {
  const [source, destination] = intentionPair(suffix)
  return `${path}/exact?source=${source}&destination=${destination}`
}

/** The cases of connect/intentions, by method and path. */
export const intentionCases: Readonly<Record<string, Case>> = {
  'GET /v1/connect/intentions': filtered(
    ({ way }) => `${path}${way % 2 === 0 ? '' : '?filter=Action==allow'}`,
    ofIntentions,
  ),
  // There is one with these names already.
  'POST /v1/connect/intentions': (_world, { lower }) => ({
    path,
    body: intentionBody(lower),
    isAllowed: writesIntention(lower),
  }),
  'GET /v1/connect/intentions/match': (_world, pick) => ({
    path: `${path}/match?by=${pick.way % 2 === 0 ? 'source' : 'destination'}&name=${service(pick)}`,
    isAllowed: needs('intention', service(pick), 'read'),
    ...ofIntentions,
  }),
  'GET /v1/connect/intentions/check': (_world, { suffix, other, way }) => {
    const [source, destination] = [nameOf('service', suffix), nameOf('service', other)]
    const explain = way % 2 === 0 ? '' : '&explain'
    return {
      path: `${path}/check?source=${source}&destination=${destination}${explain}`,
      isAllowed: needs('service', destination, 'read'),
      ...ofIntentions,
    }
  },
  'GET /v1/connect/intentions/exact': (_world, { lower }) => ({
    path: exact(lower),
    isAllowed: readsIntention(lower),
    ...ofIntentions,
  }),
  'PUT /v1/connect/intentions/exact': (world, { lower, way }) => {
    const [, stored] = intentionPair(lower)
    // Another spelling of the same.
    const isOther = way % 3 === 0
    const asked = isOther ? stored.replace('svc-A', 'svc-a') : stored
    return {
      path: exact(lower).replace(stored, asked),
      body: { ...intentionBody(lower), DestinationName: undefined },
      isAllowed: (may) => may('intention', asked, 'write') && may('intention', stored, 'write'),
      undo: () => world.do('PUT', exact(lower), intentionBody(lower)),
    }
  },
  'DELETE /v1/connect/intentions/exact': (world, { lower }) => ({
    path: exact(lower),
    isAllowed: writesIntention(lower),
    undo: () => world.seedIntention(lower),
  }),
  'GET /v1/connect/intentions/{intention}': ({ intentions }, { lower }) => ({
    path: `${path}/${intentions.get(lower)}`,
    isAllowed: readsIntention(lower),
    ...ofIntentions,
  }),
  'PUT /v1/connect/intentions/{intention}': ({ intentions }, { lower, otherLower, way }) => {
    const to = way % 2 === 0 ? lower : otherLower
    return {
      path: `${path}/${intentions.get(lower)}`,
      body: intentionBody(to),
      isAllowed: writesIntention(lower, to),
    }
  },
  'DELETE /v1/connect/intentions/{intention}': (world, { lower }) => ({
    path: `${path}/${world.intentions.get(lower)}`,
    isAllowed: writesIntention(lower),
    undo: () => world.seedIntention(lower),
  }),
}
