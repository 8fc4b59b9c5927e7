import type { Connection } from '../../models/connection.ts'
import type { ConversationView } from '../../models/conversations-model.ts'
import { Avatar } from '../parts/Avatar.tsx'
import { ConnectionStatus } from '../parts/ConnectionStatus.tsx'
import { BackIcon, ShieldIcon } from '../parts/icons.tsx'
import { PresenceWords } from '../parts/Presence.tsx'
import { VerifiedMark } from '../parts/VerifiedMark.tsx'

interface Props {
  readonly contactId: string
  readonly name: string
  readonly named: boolean
  readonly verification: ConversationView['verification']
  readonly here: ConversationView['here']
  readonly seenAtMs: ConversationView['seenAtMs']
  readonly connection: Connection
  readonly now: number
  readonly onBack: () => void
  readonly onSafetyNumber: () => void
}

/** Who this is, how messages travel, and how to be sure of it. */
export const ConversationHeader = (props: Props) => (
  <header class="bar">
    <button type="button" class="icon-button back-button" aria-label="Back to all conversations" onClick={props.onBack}>
      <BackIcon />
    </button>
    <Avatar contactId={props.contactId} name={props.named ? props.name : undefined} />
    <div class="bar-title">
      <div class="bar-name">
        <h1>
          <bdi>{props.name}</bdi>
        </h1>
        <VerifiedMark verification={props.verification} />
      </div>
      <div class="bar-state">
        <ConnectionStatus connection={props.connection} />
        <PresenceWords here={props.here} seenAtMs={props.seenAtMs} now={props.now} />
      </div>
    </div>
    <button type="button" class="button-quiet safety-button" aria-label="Safety number" onClick={props.onSafetyNumber}>
      <ShieldIcon />
      <span class="wide-only">Safety number</span>
    </button>
  </header>
)
