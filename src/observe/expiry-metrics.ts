import type { CertificateExpiry } from '../base/expiry.ts'
import type { Metric } from '../base/metric.ts'

/** How long the certificates of a node still count. */
export function expiryMetrics(
  certificates: readonly CertificateExpiry[],
  nowMs: number,
): readonly Metric[] {
  if (certificates.length === 0) return []
  return [
    {
      name: 'svcd_certificate_expiry_seconds',
      help: 'Seconds until a certificate that this agent uses expires, by its use; negative afterwards.',
      kind: 'gauge',
      samples: certificates.map(({ use, expiresMs }) => ({
        labels: { use },
        value: Math.floor((expiresMs - nowMs) / 1000),
      })),
    },
  ]
}
