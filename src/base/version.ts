/** The release; a test holds it equal to package.json's. */
export const version = '0.1.0'

/**
 * The version of Consul whose API this is. Clients and schedulers compare it with what they need
 * (Nomad wants at least 1.8), so it is shown where they look. svcd's own version is beside it.
 */
export const consulVersion = '1.21.4'
