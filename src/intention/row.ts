import { createHash } from 'node:crypto'
import { precedenceOf } from '../state/intention/model.ts'
import type { Intention } from '../state/intention/model.ts'
import { list, object, schemaNamed, text, textMap, whole } from '../http/schemas.ts'
import { indexes } from '../http/row-schemas.ts'

/** Consul's Intention. */
export function intentionJson(intention: Intention) {
  const { id, source, destination, action, description, meta } = intention
  const fields = {
    ID: id,
    Description: description,
    SourceNS: source.namespace,
    SourceName: source.name,
    DestinationNS: destination.namespace,
    DestinationName: destination.name,
    SourceType: 'consul',
    Action: action,
    DefaultAddr: intention.defaultAddress,
    DefaultPort: intention.defaultPort,
    Meta: meta,
    Precedence: precedenceOf(intention),
  }
  return {
    ...fields,
    CreatedAt: new Date(intention.createTimeMs).toISOString(),
    UpdatedAt: new Date(intention.updateTimeMs).toISOString(),
    // Clients only compare it.
    Hash: createHash('sha256').update(JSON.stringify(fields)).digest('base64'),
    CreateIndex: intention.createIndex,
    ModifyIndex: intention.modifyIndex,
  }
}

export const intentionRow = schemaNamed(
  'Intention',
  object({
    ID: text,
    Description: text,
    SourceNS: text,
    SourceName: text,
    DestinationNS: text,
    DestinationName: text,
    SourceType: text,
    Action: text,
    DefaultAddr: text,
    DefaultPort: whole,
    Meta: textMap,
    Precedence: whole,
    CreatedAt: text,
    UpdatedAt: text,
    Hash: text,
    ...indexes,
  }),
)

export const intentionRows = list(intentionRow)
