import type { Virtualizer } from '@tanstack/virtual-core'
import { useLayoutEffect, useState } from 'preact/hooks'
import type { MessageView } from '../../models/messages-model.ts'

/** 1.6 s: as long as the row is marked (conversation.css). */
const markedMs = 1_600

/** Brings what the person asked for into sight, in the middle, and gives it the focus; its id while it is marked. */
export const useSought = (
  list: Virtualizer<HTMLElement, HTMLElement>,
  messages: readonly MessageView[],
  sought: { readonly messageId: string } | null,
  focus: (index: number) => void,
): string | null => {
  const [markedId, setMarkedId] = useState<string | null>(null)
  useLayoutEffect(() => {
    if (sought === null) return undefined
    const index = messages.findIndex(({ messageId }) => messageId === sought.messageId)
    if (index < 0) return undefined
    setMarkedId(sought.messageId)
    focus(index)
    list.scrollToIndex(index, { align: 'center' })
    const timer = setTimeout(() => setMarkedId(null), markedMs)
    return () => clearTimeout(timer)
  }, [sought])
  return markedId
}
