import type { ConversationView } from '../../models/conversations-model.ts'
import { ShieldIcon, WarningIcon } from './icons.tsx'

const words = { verified: 'Verified', changed: 'Keys have changed' } as const

/** A shield for a contact whose safety number was compared; a warning when their keys are others since. */
export const VerifiedMark = ({ verification }: { verification: ConversationView['verification'] }) => {
  if (verification === undefined) return null
  return (
    <span class={`mark mark-${verification}`} title={words[verification]}>
      {verification === 'verified' ? <ShieldIcon /> : <WarningIcon />}
      <span class="visually-hidden">{words[verification]}</span>
    </span>
  )
}
