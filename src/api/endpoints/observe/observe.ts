import type { ApiEndpoint } from '../../context.ts'
import { debugEndpoints } from './debug.ts'
import { historyEndpoints } from './history.ts'
import { metricsEndpoints } from './metrics.ts'
import { monitorEndpoint } from './monitor.ts'
import { openApiEndpoint } from './openapi.ts'
import { watchEndpoints } from './watch.ts'

/** What there is to observe: changes, the log, metrics, diagnoses, and the document of the API. */
export const observeEndpoints: readonly ApiEndpoint[] = [
  ...watchEndpoints,
  monitorEndpoint,
  ...metricsEndpoints,
  ...historyEndpoints,
  ...debugEndpoints,
  openApiEndpoint,
]
