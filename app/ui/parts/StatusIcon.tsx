import type { MessageView } from '../../models/messages-model.ts'
import { CheckIcon, DeliveredIcon, WaitingIcon } from './icons.tsx'

type Status = NonNullable<MessageView['status']>

export const statusWord = {
  waiting: 'Waiting',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
} as const satisfies Record<Status, string>

const icons = { waiting: WaitingIcon, sent: CheckIcon, delivered: DeliveredIcon, read: DeliveredIcon } as const

/** Clock, one tick, two ticks, two bright ticks. Decorative: the word stands beside it for screen readers. */
export const StatusIcon = ({ status }: { status: Status }) => {
  const Icon = icons[status]
  return (
    <span class={`status status-${status}`}>
      <Icon />
    </span>
  )
}
