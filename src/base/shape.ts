/** Whether a value that came from outside has the shape that its type promises. */
export type Shape = (value: unknown) => boolean

export const isText: Shape = (value) => typeof value === 'string'
export const isFlag: Shape = (value) => typeof value === 'boolean'
export const isWhole: Shape = (value) => Number.isSafeInteger(value)

export function isOneOf(...values: readonly string[]): Shape {
  return (value) => typeof value === 'string' && values.includes(value)
}

export function isOptional(shape: Shape): Shape {
  return (value) => value === undefined || shape(value)
}

export function isListOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every((item) => shape(item))
}

export function isRecordOf(shape: Shape): Shape {
  return (value) => isObject(value) && Object.values(value).every((item) => shape(item))
}

/** Fields beside those that are named may be there: a later release knows more. */
export function hasFields(fields: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(fields)
  return (value) => isObject(value) && entries.every(([name, shape]) => shape(value[name]))
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
