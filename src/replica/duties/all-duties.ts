import type { NodeId } from '../../raft/entry.ts'
import { trailingEntries } from '../trailing-entries.ts'
import { ReplicaComparison } from './comparison.ts'
import type { ReplicaComparisonParts } from './comparison.ts'
import { DeadServers } from './dead-servers.ts'
import type { DeadServersParts } from './dead-servers.ts'
import { DnsCookieRotation } from './dns-cookie-rotation.ts'
import type { DnsCookieRotationParts } from './dns-cookie-rotation.ts'
import { FormatUse } from './format-use.ts'
import type { FormatUseParts } from './format-use.ts'
import { LeaderDuties } from './leader-duties.ts'
import type { LeaderDutiesParts } from './leader-duties.ts'
import { MemberMoves } from './member-moves.ts'
import type { MemberMovesParts } from './member-moves.ts'
import { MemberSilence } from './member-silence.ts'
import type { MemberSilenceParts } from './member-silence.ts'
import { SessionDeadlines } from './session-deadlines.ts'
import type { SessionDeadlinesParts, SessionFigures } from './session-deadlines.ts'
import { Promotion } from './promotion.ts'
import type { PromotionParts } from './promotion.ts'
import { TokenExpiry } from './token-expiry.ts'
import type { TokenExpiryParts } from './token-expiry.ts'
import { ServerHealths } from './server-healths.ts'
import type { ServerHealthsParts } from './server-healths.ts'

export interface AllDutiesParts
  extends
    Omit<LeaderDutiesParts, 'duties'>,
    PromotionParts,
    MemberMovesParts,
    MemberSilenceParts,
    ReplicaComparisonParts,
    FormatUseParts,
    SessionDeadlinesParts,
    TokenExpiryParts,
    DnsCookieRotationParts,
    Omit<DeadServersParts, 'silenceOf'>,
    Pick<ServerHealthsParts, 'termAt' | 'wallMs'> {}

/** All that a leader does beside replication, and the parts that others ask. */
export interface AllDuties {
  readonly runner: LeaderDuties
  readonly silence: MemberSilence
  readonly healths: ServerHealths
  readonly comparison: ReplicaComparison
  readonly sessions: SessionDeadlines
  /** For the status of this server. */
  readonly figures: { readonly undecidedStates: number; readonly sessions: SessionFigures }
}

/** The list of the leader's duties. A new duty is a file in this folder, and a line here. */
export function allDuties(parts: AllDutiesParts): AllDuties {
  const silence = new MemberSilence(parts)
  const comparison = new ReplicaComparison(parts)
  const silenceOf = (id: NodeId): number => silence.silenceMs(id)
  const healths = new ServerHealths({
    ...parts,
    silenceOf,
    silenceMsMax: parts.silenceMs,
    trailingMax: trailingEntries,
  })
  const sessions = new SessionDeadlines(parts)
  const duties = [
    new Promotion(parts),
    new MemberMoves(parts),
    silence,
    healths,
    comparison,
    new FormatUse({ ...parts, formats: comparison.formats }),
    sessions,
    new TokenExpiry(parts),
    new DnsCookieRotation(parts),
    new DeadServers({ ...parts, silenceOf }),
  ]
  return {
    runner: new LeaderDuties({ ...parts, duties }),
    silence,
    healths,
    comparison,
    sessions,
    get figures() {
      return { undecidedStates: comparison.undecided, sessions: sessions.figures }
    },
  }
}
