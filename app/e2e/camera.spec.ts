import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { test } from './harness/scenario.ts'

test("an invite's QR code is scanned by the camera", async ({ world }) => {
  const relay = await world.relay()
  const alice = await world.person('Alice')
  await alice.onboard(relay.url)
  await alice.page.getByRole('button', { name: 'Invite', exact: true }).click()
  await expect(alice.page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(/#i\//)
  const code = alice.page.getByRole('img', { name: /QR/i })
  await expect(code).toBeVisible()
  const box = (await code.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  // What the other person's camera sees: the code on Alice's screen, with some of the screen around it.
  const margin = 24
  const even = (size: number): number => 2 * Math.round(size / 2)
  const clip = {
    x: Math.max(0, Math.round(box.x) - margin),
    y: Math.max(0, Math.round(box.y) - margin),
    width: even(box.width + 2 * margin),
    height: even(box.height + 2 * margin),
  }
  const film = join(world.directory, 'camera.mjpeg')
  await writeFile(film, await alice.page.screenshot({ type: 'jpeg', quality: 95, clip }))
  await alice.page.keyboard.press('Escape')

  const bob = await world.person('Bob', {
    extraArguments: [
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
    ],
    context: { permissions: ['camera'] },
  })
  await bob.onboard(relay.url)
  await bob.page.getByRole('button', { name: 'Scan a code' }).click()
  await expect(bob.composer).toBeVisible()
  await alice.openConversation('Bob')
  await bob.send('seen by camera')
  await alice.expectMessage('seen by camera')
})
