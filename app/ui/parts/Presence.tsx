import type { ConversationView } from '../../models/conversations-model.ts'
import { relativeTime } from './format-time.ts'

interface Props {
  readonly here: ConversationView['here']
  readonly seenAtMs: ConversationView['seenAtMs']
}

const words = { online: 'Online', away: 'Away' } as const

/** Whether the contact is there, as they tell it themselves; otherwise when they last were. */
export const PresenceWords = ({ here, seenAtMs, now }: Props & { now: number }) => {
  if (here !== undefined) return <span class={`presence presence-${here}`}>{words[here]}</span>
  if (seenAtMs === undefined) return null
  return (
    <span class="presence">
      Last seen <time dateTime={new Date(seenAtMs).toISOString()}>{relativeTime(seenAtMs, now)}</time>
    </span>
  )
}

/** The dot at an avatar in the list. */
export const PresenceDot = ({ here }: Pick<Props, 'here'>) =>
  here === undefined ? null : (
    <span class={`presence-dot presence-dot-${here}`} title={words[here]}>
      <span class="visually-hidden">{words[here]}. </span>
    </span>
  )
