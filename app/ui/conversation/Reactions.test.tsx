import { expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { history } from '../../models/engine.fixture.ts'
import type { MessageView } from '../../models/messages-model.ts'
import { show } from '../page.fixture.ts'
import { Reactions } from './Reactions.tsx'

const names = async (reactions: MessageView['reactions'], onReact = (_: string): void => undefined) => {
  const [message] = history(1, 0)
  if (message === undefined) throw new Error('no message')
  const root = show(
    <Reactions message={reactions ? { ...message, reactions } : message} senderName="Bob" onReact={onReact} />,
  )
  return [...root.querySelectorAll('button')].map((button) => [button.ariaLabel, button.ariaPressed])
}

it.each([
  [undefined, []],
  [{}, []],
  [{ mine: '👍' }, [['👍 by you', 'true']]],
  [{ theirs: '👍' }, [['👍 by Bob', 'false']]],
  [{ mine: '👍', theirs: '👍' }, [['👍 by you and Bob', 'true']]],
  [
    { mine: '👍', theirs: '😂' },
    [
      ['😂 by Bob', 'false'],
      ['👍 by you', 'true'],
    ],
  ],
] as const)('reactions %o', async (reactions, wanted) => {
  expect(await names(reactions)).toEqual(wanted)
})

it('a click says which emoji', async () => {
  const onReact = vi.fn<(emoji: string) => void>()
  await names({ theirs: '👍' }, onReact)
  await page.getByRole('button').click()
  expect(onReact).toHaveBeenCalledExactlyOnceWith('👍')
})
