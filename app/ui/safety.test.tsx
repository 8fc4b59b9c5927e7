import { beforeEach, describe, expect, it, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { conversation, history, readyState } from '../models/engine.fixture.ts'
import { showApp } from './page.fixture.ts'

const now = Date.now()
const bob = (part: Parameters<typeof conversation>[0] = {}) => conversation({ messages: 5, ...part })
const open = async (part: Parameters<typeof conversation>[0] = {}) => {
  const shown = await showApp(readyState([bob(part)]), history(5, now))
  shown.app.openConversation('c0')
  return shown
}
const button = (name: string) => page.getByRole('button', { name, exact: true })
const banner = page.getByRole('alert').filter({ hasText: 'keys have changed' })

beforeEach(() => page.viewport(1280, 800))

/** The code on screen as a picture file, as a camera or a screenshot has it. */
const pictureOfCode = async (): Promise<File> => {
  await vi.waitFor(() => expect(document.querySelector('.qr svg')).not.toBeNull())
  const code = document.querySelector('.qr svg')
  const image = new Image()
  image.src = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="${code?.getAttribute('viewBox')}" width="500" height="500"><rect width="100%" height="100%" fill="white"/>${code?.innerHTML}</svg>`)}`
  await image.decode()
  const canvas = document.createElement('canvas')
  ;[canvas.width, canvas.height] = [900, 700]
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('no canvas')
  context.fillStyle = '#776'
  context.fillRect(0, 0, 900, 700)
  context.drawImage(image, 210, 90)
  return new File([await new Promise<Blob>((resolve) => canvas.toBlob((blob) => blob && resolve(blob)))], 'code.png')
}

describe('the safety number', () => {
  it('hands the very bytes of a picture to the engine, and says what they are', async () => {
    const { engine } = await open()
    // Every byte there is: none may be lost on the way through a code and back.
    const code = Uint8Array.from({ length: 256 }, (_, i) => i)
    engine.safetyNumber = () => Promise.resolve({ digits: '0'.repeat(60), qr: code })
    const compare = vi.spyOn(engine, 'compareSafety')
    await button('Safety number').click()
    await page.getByLabelText('Picture of the code').upload(await pictureOfCode())
    await vi.waitFor(() => expect(compare).toHaveBeenCalledWith('c0', code))
    await expect.element(page.getByRole('status').filter({ hasText: 'The codes match' })).toBeVisible()
  })

  it('says that a picture has no code in it', async () => {
    await open()
    await button('Safety number').click()
    await page.getByLabelText('Picture of the code').upload(new File(['nothing'], 'photo.png', { type: 'image/png' }))
    await expect.element(page.getByRole('alert').filter({ hasText: 'No code was found' })).toBeVisible()
  })

  it('warns when the code is of other people', async () => {
    const { engine } = await open()
    engine.verdict = 'other-people'
    await button('Safety number').click()
    await page.getByLabelText('Picture of the code').upload(await pictureOfCode())
    await expect.element(page.getByRole('alert').filter({ hasText: 'Not the same people' })).toBeVisible()
  })

  it('says what to do when there is no camera', async () => {
    await open()
    await button('Safety number').click()
    await button('Scan a code').click()
    await expect.element(page.getByRole('alert').filter({ hasText: 'use a picture of the code instead' })).toBeVisible()
  })

  it('is marked as verified by the person, shown everywhere, and taken back', async () => {
    const { engine } = await open()
    await button('Safety number').click()
    await button('Mark as verified').click()
    expect(engine.verified).toEqual([['c0', true]])
    engine.emit({ kind: 'conversation', conversation: bob({ verification: 'verified' }) })
    await expect.element(page.getByText('You have verified Bob.')).toBeVisible()
    await expect
      .poll(() => document.querySelectorAll('.bar .mark-verified, .conversation-row .mark-verified').length)
      .toBe(2)
    await button('Not verified any more').click()
    expect(engine.verified).toEqual([
      ['c0', true],
      ['c0', false],
    ])
  })
})

/** A function whose answers come when the test lets them. */
const deferred = <T,>() => {
  const answers: ((value: T) => void)[] = []
  return {
    call: () => new Promise<T>((resolve) => answers.push(resolve)),
    answer: (value: T) => answers.shift()?.(value),
  }
}

describe('an answer that comes after the dialog was closed', () => {
  const digits = page.getByRole('list', { name: 'Digits' })
  const verdicts = () => document.querySelectorAll('.verdict').length
  const numbers = (id: string) => ({
    digits: (id === 'c0' ? '7' : '9').repeat(60),
    qr: new Uint8Array(97).fill(id === 'c0' ? 7 : 9),
  })

  /** Bob's number is on the screen, and Carol is there, too. */
  const openBob = async () => {
    const carol = conversation({ conversationId: 'c1', contactId: '4b', name: 'Carol' })
    const shown = await showApp(readyState([bob(), carol]), history(5, now))
    shown.engine.safetyNumber = (id) => Promise.resolve(numbers(id))
    shown.app.openConversation('c0')
    await button('Safety number').click()
    return shown
  }
  const turnToCarol = async ({ app }: Awaited<ReturnType<typeof showApp>>) => {
    app.closeDialog()
    app.openConversation('c1')
    app.openDialog('safety')
    await expect.element(page.getByRole('heading', { name: 'Carol' })).toBeInTheDocument()
  }
  /** Bob's number itself, which a late answer still reaches. */
  const modelOf = ({ app }: Awaited<ReturnType<typeof showApp>>) => app.safety.value ?? expect.fail('no dialog is open')
  /** The page has drawn what it knows. */
  const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))

  it('is no verdict on another contact', async () => {
    const shown = await openBob()
    const { call, answer } = deferred<'match'>()
    const compare = vi.spyOn(shown.engine, 'compareSafety').mockImplementation(call)
    await page.getByLabelText('Picture of the code').upload(await pictureOfCode())
    await vi.waitFor(() => expect(compare).toHaveBeenCalledOnce())
    const ofBob = modelOf(shown)
    await turnToCarol(shown)
    answer('match')
    await expect.poll(() => ofBob.verdict.value).toBe('match')
    await drawn()
    expect(verdicts()).toBe(0)
  })

  it('compares no picture with another contact, nor with anybody', async () => {
    const shown = await openBob()
    const compare = vi.spyOn(shown.engine, 'compareSafety')
    const pictured = vi.spyOn(modelOf(shown), 'pictured')
    const file = await pictureOfCode()
    const picture = await createImageBitmap(file)
    const { call, answer } = deferred<ImageBitmap>()
    const decode = vi.spyOn(window, 'createImageBitmap').mockImplementation(call)
    try {
      await page.getByLabelText('Picture of the code').upload(file)
      await vi.waitFor(() => expect(decode).toHaveBeenCalledOnce())
      await turnToCarol(shown)
      answer(picture)
      // Reading it takes 1.5 s at most.
      await expect.poll(() => pictured.mock.calls.length, { timeout: 10_000 }).toBe(1)
      await drawn()
      expect(compare).not.toHaveBeenCalled()
      expect(verdicts()).toBe(0)
    } finally {
      decode.mockRestore()
    }
  })

  it('says nothing of another contact’s keys', async () => {
    const shown = await openBob()
    const { call, answer } = deferred<boolean>()
    const setVerified = vi.spyOn(shown.engine, 'setVerified').mockImplementation(call)
    await button('Mark as verified').click()
    expect(setVerified).toHaveBeenCalledOnce()
    const ofBob = modelOf(shown)
    await turnToCarol(shown)
    answer(false)
    await expect.poll(() => ofBob.problem.value).not.toBeNull()
    await drawn()
    expect(document.querySelectorAll('.problem').length).toBe(0)
    await expect.poll(() => digits.element().textContent).toMatch(/^9+$/)
  })

  it('is not the number of another contact', async () => {
    const shown = await openBob()
    shown.app.closeDialog()
    const { call, answer } = deferred<ReturnType<typeof numbers>>()
    shown.engine.safetyNumber = (id) => (id === 'c0' ? call() : Promise.resolve(numbers(id)))
    shown.app.openDialog('safety')
    const ofBob = modelOf(shown)
    await turnToCarol(shown)
    answer(numbers('c0'))
    await expect.poll(() => ofBob.state.value.kind).toBe('ready')
    await drawn()
    await expect.poll(() => digits.element().textContent).toMatch(/^9+$/)
  })
})

describe('the dialog of the safety number', () => {
  it('closes with its conversation, and does not come back under another name', async () => {
    const carol = conversation({ conversationId: 'c1', contactId: '4b', name: 'Carol' })
    const { app, world } = await showApp(readyState([bob(), carol]), history(5, now))
    app.openConversation('c0')
    await button('Safety number').click()
    await expect.element(page.getByRole('dialog')).toBeVisible()
    world.goBack()
    app.openConversation('c1')
    await expect.element(page.getByRole('heading', { name: 'Carol' })).toBeVisible()
    await expect.element(page.getByRole('dialog')).not.toBeInTheDocument()
  })

  it('does not say of the digits what only the code can tell', async () => {
    await open()
    await button('Safety number').click()
    await expect.poll(() => document.querySelector('.lead')?.textContent).toContain('mean that this is Bob’s account')
    expect(document.querySelector('.lead')?.textContent).not.toContain('read along')
  })
})

describe('codes that do not match', () => {
  const pictured = async (verdict: 'conflict' | 'other-people') => {
    const shown = await open()
    shown.engine.verdict = verdict
    await button('Safety number').click()
    await expect.element(button('Mark as verified')).toBeVisible()
    await page.getByLabelText('Picture of the code').upload(await pictureOfCode())
    await expect.element(page.getByRole('alert').filter({ hasText: /do not match|Not the same people/ })).toBeVisible()
    return shown
  }

  it.each(['conflict', 'other-people'] as const)(
    'cannot be marked as verified, only scanned again: %s',
    async (verdict) => {
      await pictured(verdict)
      await expect.element(button('Mark as verified')).not.toBeInTheDocument()
      await expect.element(button('Scan a code')).toBeVisible()
    },
  )

  it('are not forgotten over a picture without a code, nor over a look through the camera', async () => {
    await pictured('conflict')
    await page.getByLabelText('Picture of the code').upload(new File(['nothing'], 'photo.png', { type: 'image/png' }))
    await expect.element(page.getByRole('alert').filter({ hasText: 'No code was found' })).toBeVisible()
    await button('Scan a code').click()
    await expect.element(page.getByRole('alert').filter({ hasText: 'No camera was found' })).toBeVisible()
    await expect.element(page.getByRole('alert').filter({ hasText: 'The codes do not match' })).toBeVisible()
    await expect.element(button('Mark as verified')).not.toBeInTheDocument()
  })

  it('are forgotten when another code matches', async () => {
    const { engine } = await pictured('other-people')
    engine.verdict = 'match'
    await page.getByLabelText('Picture of the code').upload(await pictureOfCode())
    await expect.element(page.getByRole('status').filter({ hasText: 'The codes match' })).toBeVisible()
    await expect.element(page.getByText('Not the same people')).not.toBeInTheDocument()
  })
})

describe('keys that change while the number is on the screen', () => {
  it('are said, and nobody is marked as verified by the old ones', async () => {
    const { engine } = await open()
    const later = engine.safetyNumber
    engine.safetyNumber = () => Promise.resolve({ digits: '9'.repeat(60), qr: new Uint8Array(97) })
    await button('Safety number').click()
    await expect.element(page.getByText('99999').first()).toBeVisible()
    engine.safetyNumber = later
    await button('Mark as verified').click()
    await expect
      .element(page.getByRole('alert').filter({ hasText: 'Their keys have changed while this was open' }))
      .toBeVisible()
    await expect.element(page.getByText('01234').first()).toBeVisible()
    await expect.element(page.getByText('99999').first()).not.toBeInTheDocument()
  })
})

describe('changed keys', () => {
  const notice = { messageId: 'n', conversationId: 'c0', position: 6, mine: true, notice: 'keys-changed' } as const

  it('are a line in the conversation, and said aloud', async () => {
    const { engine, root } = await open()
    await vi.waitFor(() => expect(root.querySelector('.scroller li')).not.toBeNull())
    engine.emit({ kind: 'message', message: { ...notice, sentAtMs: now }, isNew: true })
    await expect.element(page.getByRole('listitem').filter({ hasText: 'Bob’s keys have changed.' })).toBeVisible()
    await expect.poll(() => root.querySelector('[aria-live]:last-child')?.textContent).toBe('Bob’s keys have changed.')
    await expect.element(banner).not.toBeInTheDocument()
  })

  it('hold what is written to a verified contact, and say so, until there is a yes', async () => {
    const { app, engine } = await open({ verification: 'changed' })
    await expect.element(banner).toBeVisible()
    await page.getByRole('textbox', { name: 'Message' }).fill('for the old Bob')
    await userEvent.keyboard('{Enter}')
    const row = page.getByRole('listitem').filter({ hasText: 'for the old Bob' })
    await expect.element(row).toHaveAccessibleDescription('Waiting for your yes to the new keys')
    await button('Send anyway').click()
    expect(engine.verified).toEqual([['c0', false]])
    engine.emit({ kind: 'conversation', conversation: bob() })
    await expect.element(banner).not.toBeInTheDocument()
    await expect.element(row).toHaveAccessibleDescription('Waiting')
    expect(app.conversation.value?.decisionProblem.value).toBeNull()
  })

  it('lead to the safety number by keyboard', async () => {
    await open({ verification: 'changed' })
    await expect.element(banner).toBeVisible()
    await expect.element(page.getByRole('textbox', { name: 'Message' })).toHaveFocus()
    await userEvent.keyboard('{Shift>}{Tab}{/Shift}{Enter}')
    await expect.element(page.getByRole('dialog', { name: 'Safety number' })).toBeVisible()
  })

  it('keep what was written when the yes cannot be stored', async () => {
    const { engine } = await open({ verification: 'changed' })
    engine.acceptKeys = () => Promise.reject(new Error('full'))
    await button('Send anyway').click()
    await expect.element(page.getByText(/This could not be stored/)).toBeVisible()
    await expect.element(banner).toBeVisible()
  })
})

describe('own keys', () => {
  const withAge = async (days: number) => {
    const profile = { accountId: 'a0', name: 'Alice', keysSinceMs: now - days * 86_400_000 }
    const shown = await showApp({ ...readyState([bob()]), profile })
    shown.app.openDialog('settings')
    return shown
  }

  it('are replaced when asked, and not before', async () => {
    const { engine } = await withAge(12)
    const replace = vi.spyOn(engine, 'replaceKeys')
    await expect.element(page.getByText(/made 12 days ago/)).toBeVisible()
    expect(document.querySelector('.offer')).toBeNull()
    await button('Replace device keys…').click()
    await expect.element(button('Keep these')).toHaveFocus()
    expect(replace).not.toHaveBeenCalled()
    await button('Replace keys').click()
    await expect.element(page.getByText(/made today/)).toBeVisible()
    await expect.element(page.getByRole('status').filter({ hasText: 'The keys are new' })).toBeVisible()
    expect(replace).toHaveBeenCalledOnce()
  })

  it('are offered to be replaced after 90 days', async () => {
    await withAge(89)
    expect(document.querySelector('.offer')).toBeNull()
    await withAge(90)
    await expect.element(page.getByText(/That is a while/)).toBeVisible()
  })

  it('stay when the relay cannot be told, which is said', async () => {
    const { engine } = await withAge(12)
    await button('Replace device keys…').click()
    engine.failNext = { code: 'relay-unreachable', message: 'Try again when you are connected.' }
    await button('Replace keys').click()
    await expect.element(page.getByRole('alert').filter({ hasText: 'Try again' })).toBeVisible()
    await expect.element(page.getByText(/made 12 days ago/)).toBeVisible()
  })
})
